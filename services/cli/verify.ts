import type { Command } from 'commander'
import { dirOption, jsonOption, whole } from './options.ts'

export interface VerifyOptions {
  from?: number
  to?: number
  dir?: string
  json?: true
}

export function registerVerify(program: Command): void {
  program
    .command('verify')
    .description('decide everything in the book again from its inputs, and compare')
    .option('--from <position>', 'first position to compare', whole(0))
    .option('--to <position>', 'last position to compare', whole(0))
    .addOption(dirOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExit code 3 and the first divergence, with its causes, when the same code\ndecides otherwise or a byte was altered. Stretches recorded by other code are\nlisted apart.',
    )
    .action(async (options: VerifyOptions) => {
      const { runVerifyCommand } = await import('./verify-run.ts')
      await runVerifyCommand(options)
    })
}
