/** Which exits a random signal asks for. */
export type Exits = 'none' | 'bracket' | 'take_profit' | 'trailing'

/** Exits a tenth away from a price that was asked for, so that some lie on the wrong side of the market. */
export function exitsAway(
  side: 'buy' | 'sell',
  price: string,
  which: Exits,
): { takeProfit?: string; stopLoss?: string; trailPercent?: string } {
  const away = (factor: number) => (Number(price) * factor).toFixed(2)
  const [gain, loss] = side === 'buy' ? [1.1, 0.9] : [0.9, 1.1]
  switch (which) {
    case 'none':
      return {}
    case 'bracket':
      return { takeProfit: away(gain), stopLoss: away(loss) }
    case 'take_profit':
      return { takeProfit: away(gain) }
    case 'trailing':
      return { trailPercent: '5' }
  }
}
