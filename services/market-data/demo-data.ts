/** The bars a fresh installation trades: they come with an npm package, so nothing is downloaded. */
import { createRequire } from 'node:module'

export const DEMO_SYMBOL = 'AAPL'

/** Path of 1260 daily bars of AAPL, 2013-05-13 to 2018-05-11. Throws when the package is missing. */
export function demoBarsPath(): string {
  return createRequire(import.meta.url).resolve('@observablehq/sample-datasets/aapl.csv')
}
