/** The demo's bars run through an engine that trades often, watched from outside. */
import * as assert from 'uvu/assert'
import { bitacora, type EngineProcess, until } from './engine-process.ts'

export const DEMO_BARS = 1260
/** Options of `bitacora start` for a run that trades often; limits as they are by default. */
export const TRADING = ['--speed', 'max', '--set', 'fast=2', 'slow=5', 'mode=reverse', 'size=50']
export const TRADING_WITHOUT_LIMITS = [...TRADING, '--risk', 'off']

/** How many bars the book holds, as the engine says. */
export async function bars(engine: EngineProcess): Promise<number> {
  return (await engine.get<{ counts: { bars: number } }>('/status')).counts.bars
}

/** Resolves when this share of the demo's bars, from 0 to 1, is in the book. */
export async function reached(engine: EngineProcess, share: number): Promise<void> {
  const enough = async () => (await bars(engine)) >= DEMO_BARS * share
  await until(`${share} of the bars`, enough, 120_000)
}

/**
 * Stops the engine at the end of its data; the book proves itself, and a backtest of it decides the same. Returns what
 * the backtest says.
 */
export async function prove(
  engine: EngineProcess,
  env: Record<string, string> = {},
): Promise<{ digest: string; equity: { end: string } }> {
  await reached(engine, 1)
  assert.is(await engine.stop(), 0, engine.output.stderr)
  const dir = engine.folder
  const verified = await bitacora(['verify', '--dir', dir, '--json'], { env })
  assert.is(verified.code, 0, verified.stderr + verified.stdout)
  const backtest = await bitacora(['backtest', '--history', '--dir', dir, '--json'], { env })
  assert.is(backtest.code, 0, backtest.stderr)
  const summary = JSON.parse(backtest.stdout) as { digest: string; equity: { end: string } }
  assert.is(summary.digest, (JSON.parse(verified.stdout) as { digest: string }).digest)
  return summary
}
