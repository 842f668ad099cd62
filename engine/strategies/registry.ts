import type { ChainSettings } from '../../schemas/types.gen.ts'
import { meanReversion } from './mean-reversion.ts'
import { resolveParams } from './params.ts'
import { smaCross } from './sma-cross.ts'
import { InvalidParams, type Params, type Strategy } from './strategy.ts'

export const STRATEGIES: readonly Strategy[] = [smaCross, meanReversion]

/** The strategy of a name. Throws InvalidParams that lists the names there are. */
export function findStrategy(name: string): Strategy {
  const found = STRATEGIES.find((strategy) => strategy.name === name)
  if (found === undefined) {
    const known = STRATEGIES.map((strategy) => strategy.name).join(', ')
    throw new InvalidParams(`there is no strategy "${name}"; there are ${known}`)
  }
  return found
}

export interface StrategyInstance {
  strategy: Strategy
  params: Params
}

/** The strategies that recorded settings name, with every parameter resolved. */
export function strategyInstances(settings: ChainSettings): StrategyInstance[] {
  return settings.strategies.map(({ name, params }) => {
    const strategy = findStrategy(name)
    return { strategy, params: resolveParams(strategy, params) }
  })
}
