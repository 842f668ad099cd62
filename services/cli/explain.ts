import type { Command } from 'commander'
import { dirOption, jsonOption } from './options.ts'

export interface ExplainOptions {
  dir?: string
  json?: true
}

export function registerExplain(program: Command): void {
  program
    .command('explain')
    .description('why an order, a signal, a bar or any event is as it is')
    .argument('<id>', 'number of an order, id of a signal, bar:<symbol>:<start> or p:<position>')
    .addOption(dirOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nReads the book, whether the engine runs or not. For an order: the chain from its\nbar or operator to its last fill. For a signal that became no order: the rule,\nwhat it saw and what it allows. For a bar on which nothing happened: what each\nstrategy looked at.',
    )
    .action(async (id: string, options: ExplainOptions) => {
      const { runExplainCommand } = await import('./explain-run.ts')
      await runExplainCommand(id, options)
    })
}
