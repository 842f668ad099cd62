import type { Command } from 'commander'
import { dirOption, jsonOption, whole } from './options.ts'
import { addStrategyOptions } from './settings.ts'

export interface WhatIfCommandOptions {
  strategy?: string
  set?: Record<string, string>
  risk?: string
  from?: number
  to?: number
  dir?: string
  json?: true
}

export function registerWhatIf(program: Command): void {
  const command = program
    .command('whatif')
    .description('decide the book again under other limits or parameters, and compare')
  addStrategyOptions(command)
    .option('--risk <file|off>', 'risk limits in place of those recorded')
    .option('--from <position>', 'first position to decide again', whole(0))
    .option('--to <position>', 'last position to decide again', whole(0))
    .addOption(dirOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nBars, signals and controls are those of the book. So are fills, as long as the\nsame is decided; from the first other decision on the simulated exchange fills,\nwith the exchange settings of the book. --strategy names the strategy that --set\nis about, or one to run in place of all. Writes nothing.',
    )
    .action(async (options: WhatIfCommandOptions) => {
      const { runWhatIfCommand } = await import('./whatif-run.ts')
      await runWhatIfCommand(options)
    })
}
