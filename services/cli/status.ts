import type { Command } from 'commander'
import { dirOption, jsonOption } from './options.ts'

export interface StatusOptions {
  dir?: string
  json?: true
}

export function registerStatus(program: Command): void {
  program
    .command('status')
    .description('print what runs, whether it may trade, and what it holds')
    .addOption(dirOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExit code 4 when no engine runs there, with what its folder holds.')
    .action(async (options: StatusOptions) => {
      const { runStatusCommand } = await import('./status-run.ts')
      await runStatusCommand(options)
    })
}
