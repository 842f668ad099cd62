import { type Command, Option } from 'commander'
import { dirOption, jsonOption, wait } from './options.ts'

export type ControlAction = 'halt' | 'resume' | 'cancel-all' | 'flatten'

export interface ControlOptions {
  reason: string
  actor?: string
  /** ms */
  wait: number
  dir?: string
  json?: true
}

const ACTIONS: Readonly<Record<ControlAction, string>> = {
  halt: 'stop trading: cancel what works, send nothing until resume',
  resume: 'allow trading again',
  'cancel-all': 'cancel every working order',
  flatten: 'close every position',
}

const DEFAULT_WAIT_MS = 5000

export function registerControls(program: Command): void {
  for (const [action, description] of Object.entries(ACTIONS)) {
    program
      .command(action)
      .description(description)
      .requiredOption('--reason <text>', 'why, in words: it is recorded')
      .option('--actor <name>', 'who asks (default: USER, else cli)')
      .addOption(
        new Option('--wait <time>', 'how long to wait until the engine confirms')
          .argParser(wait)
          .default(DEFAULT_WAIT_MS, '5s'),
      )
      .addOption(dirOption())
      .addOption(jsonOption())
      .action(async (options: ControlOptions) => {
        const { runControlCommand } = await import('./control-run.ts')
        await runControlCommand(action as ControlAction, options)
      })
  }
}
