/** The commands, and what happens when one fails. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { packageRoot } from '../runtime/folder.ts'
import { registerAudit } from './audit.ts'
import { registerBacktest } from './backtest.ts'
import { registerControls } from './control.ts'
import { registerCopies } from './copies.ts'
import { registerDoctor } from './doctor.ts'
import { codeOf, EXIT, type ExitCode, exitCodeOf } from './exit-codes.ts'
import { registerExplain } from './explain.ts'
import { hasColor, outputWidth, printJson, styled } from './output.ts'
import { registerRebuild } from './rebuild.ts'
import { registerSignal } from './signal.ts'
import { registerStart } from './start.ts'
import { registerStatus } from './status.ts'
import { registerVerify } from './verify.ts'
import { registerWhatIf } from './whatif.ts'

/** In the order in which help lists them. */
const COMMANDS: readonly ((program: Command) => void)[] = [
  registerStart,
  registerBacktest,
  registerVerify,
  registerWhatIf,
  registerExplain,
  registerSignal,
  registerControls,
  registerStatus,
  registerAudit,
  registerCopies,
  registerRebuild,
  registerDoctor,
]

const HELP_WIDTH = 80

/** The whole command line. Parsing it throws CommanderError, or what a command threw. */
export function createProgram(): Command {
  const program = new Command('bitacora')
  const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'))
  program
    .description('An event-sourced trading engine: everything that happens is an entry in a book.')
    .version(String(version), '--version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .addHelpText(
      'after',
      '\nExit codes: 0 ok, 1 failed, 2 usage or invalid input, 3 refused or verification\nmismatch, 4 something needed is not reachable or in use.',
    )
  for (const register of COMMANDS) register(program)
  for (const command of withSubcommands(program)) {
    command
      .exitOverride()
      .configureOutput({ getOutHelpWidth: () => Math.min(HELP_WIDTH, outputWidth()) })
      .helpOption('-h, --help', 'print help')
      .showHelpAfterError(`see: ${path(command)} --help`)
  }
  return program
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)]
}

/** Runs the command line and resolves to the exit code; what fails is told on stderr. */
export async function run(argv: readonly string[]): Promise<ExitCode> {
  const json = argv.includes('--json')
  const program = createProgram()
  try {
    if (argv.length === 0) {
      program.outputHelp({ error: true })
      return EXIT.usage
    }
    await program.parseAsync([...argv], { from: 'user' })
    return (process.exitCode as ExitCode | undefined) ?? EXIT.ok
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has printed it, help included.
      if (error.exitCode === 0) return EXIT.ok
      if (json)
        printJson({ error: { code: 'usage', message: error.message.replace(/^error: /, '') } })
      return EXIT.usage
    }
    tell(error, json)
    return exitCodeOf(error)
  }
}

function tell(error: unknown, json: boolean): void {
  const message = error instanceof Error ? error.message : String(error)
  if (json) printJson({ error: { code: codeOf(error), message, ...details(error) } })
  const name = styled('error:', 'red', hasColor(process.stderr))
  for (const line of message.split('\n')) {
    // Lines that go on where the one above ends are not errors of their own.
    process.stderr.write(/^\s/.test(line) ? `${line}\n` : `${name} ${line}\n`)
  }
  if (process.env.LOG_LEVEL === 'debug' && error instanceof Error) {
    process.stderr.write(`${error.stack ?? ''}\n`)
  }
}

/** What a typed error knows beside its message, such as all bad rows of a file. */
function details(error: unknown): Record<string, unknown> {
  if (typeof error !== 'object' || error === null) return {}
  const { details: given, ...own } = error as Record<string, unknown>
  const known: Record<string, unknown> = { ...(given as object | undefined) }
  for (const [name, value] of Object.entries(own)) {
    if (!['name', 'code', 'message', 'cause', 'stack'].includes(name)) known[name] = value
  }
  return known
}

function path(command: Command): string {
  return command.parent === null ? command.name() : `${path(command.parent)} ${command.name()}`
}
