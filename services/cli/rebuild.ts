/** `rebuild`: what is derived from the book, made again from it. */
import type { Command } from 'commander'
import { dirOption, jsonOption } from './options.ts'

export interface RebuildOptions {
  projections?: true
  tape?: true
  dir?: string
  json?: true
}

export function registerRebuild(program: Command): void {
  program
    .command('rebuild')
    .description('make projections and TAPE again from the book, and compare')
    .option('--projections', 'only the projections')
    .option('--tape', 'only TAPE; no engine may run on the folder')
    .addOption(dirOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      "\nProjections are folds in memory: they are folded from the first event and, where\nan engine runs, compared with what it serves at the same position; exit code 3\nwhen they differ. TAPE is emptied and published again, in the folder's own NATS\nserver or the one of NATS_URL; a running engine looks after its TAPE itself.",
    )
    .action(async (options: RebuildOptions) => {
      const { runRebuildCommand } = await import('./rebuild-run.ts')
      await runRebuildCommand(options)
    })
}
