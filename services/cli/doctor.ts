/** `bitacora doctor`: what is in force, and what is missing on this machine. */
import type { Command } from 'commander'
import { type Config, type ConfigProblem, InvalidConfig, loadConfig } from '../runtime/config.ts'
import {
  reservedMark,
  SETTINGS,
  type SettingSpec,
  type SettingValue,
} from '../runtime/config-spec.ts'
import { maskText } from '../runtime/config-value.ts'
import {
  type Check,
  checkDotenvMode,
  checkEngine,
  checkEventStore,
  checkFolder,
  checkNats,
  checkNode,
  checkPackages,
  checkPort,
  findEngine,
  warn,
} from './doctor-checks.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { dirOption, jsonOption } from './options.ts'
import { hasColor, outputWidth, print, printJson, type Style, styled } from './output.ts'

export interface SettingInForce {
  name: string
  /** Masked where secret; null: not set. */
  value: string | number | boolean | readonly string[] | null
  source: string
  /** Empty for a setting that has an effect. */
  reserved: string
}

export interface DoctorReport {
  ok: boolean
  checks: Check[]
  /** Empty when the configuration is invalid. */
  settings: SettingInForce[]
  problems: readonly ConfigProblem[]
}

export interface DoctorInput {
  env: Readonly<Record<string, string | undefined>>
  cwd: string
  dir?: string | undefined
}

/** Adds the command. It exits 0 when nothing fails, 2 when the configuration is invalid, else 4. */
export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .summary('Print what is in force, and what is missing on this machine.')
    .description('print what is in force, and what is missing on this machine')
    .addOption(dirOption())
    .addOption(jsonOption())
    .action(async (options: { dir?: string; json?: boolean }) => {
      const report = await examine({ env: process.env, cwd: process.cwd(), dir: options.dir })
      if (options.json) printJson(report)
      else print(renderReport(report, outputWidth(), hasColor()))
      process.exitCode = exitCode(report)
    })
}

export async function examine(input: DoctorInput): Promise<DoctorReport> {
  const packages = checkPackages()
  const config = tryConfig(input)
  if (config instanceof InvalidConfig) {
    const checks = [checkNode(), ...(await packages)]
    return { ok: false, checks, settings: [], problems: config.problems }
  }
  const dir = config.values.DATA_DIR
  const engine = await findEngine(dir)
  const checks = [
    checkNode(),
    ...(await packages),
    await checkNats(config, input.env),
    await checkEventStore(config),
    ...(await checkFolder(dir)),
    checkEngine(dir, engine),
    await checkPort(config, engine),
    ...checkDotenvMode(config, input.cwd),
    ...config.warnings.map((text) =>
      warn('setting', text, 'correct it, or leave it if it is meant'),
    ),
  ]
  const ok = checks.every((check) => check.state !== 'fail')
  return { ok, checks, settings: SETTINGS.map((spec) => inForce(spec, config)), problems: [] }
}

export function exitCode(report: DoctorReport): ExitCode {
  if (report.problems.length > 0) return EXIT.usage
  return report.ok ? EXIT.ok : EXIT.unreachable
}

function tryConfig({ env, cwd, dir }: DoctorInput): Config | InvalidConfig {
  try {
    return loadConfig({ env, cwd, flags: { DATA_DIR: dir } })
  } catch (error) {
    if (error instanceof InvalidConfig) return error
    throw error
  }
}

function inForce(spec: (typeof SETTINGS)[number], config: Config): SettingInForce {
  const value: SettingValue = config.values[spec.name]
  const shown = typeof value === 'string' ? maskText(spec as SettingSpec, value) : value
  const reserved = reservedMark(spec)
  return { name: spec.name, value: shown, source: config.sources[spec.name], reserved }
}

const WORDS: Readonly<Record<Check['state'], readonly [string, Style]>> = {
  ok: ['ok  ', 'green'],
  warn: ['warn', 'yellow'],
  fail: ['FAIL', 'red'],
}

/** The report as lines of at most `width` columns where words allow it; Infinity does not wrap. */
export function renderReport(report: DoctorReport, width: number, color: boolean): string {
  const lines: string[] = []
  for (const { state, detail, remedy } of report.checks) {
    const [word, style] = WORDS[state]
    const [first = '', ...rest] = wrap(detail, width, 6)
    lines.push(`${styled(word, style, color)}  ${first}`, ...rest.map((row) => `      ${row}`))
    if (remedy) {
      lines.push(...wrap(`→ ${remedy}`, width, 6).map((row) => `      ${row}`))
    }
  }
  if (report.problems.length > 0) {
    lines.push('', styled('the configuration is invalid:', 'red', color))
    for (const { message } of report.problems) lines.push(...wrap(message, width, 2).map(indented))
  }
  const groups = [
    ['settings in force:', report.settings.filter((setting) => setting.reserved === '')],
    [
      'reserved (no effect in this version):',
      report.settings.filter((setting) => setting.reserved),
    ],
  ] as const
  for (const [title, settings] of groups) {
    if (settings.length === 0) continue
    lines.push('', styled(title, 'bold', color))
    for (const setting of settings) lines.push(...wrap(describe(setting), width, 2).map(indented))
  }
  const failed = report.checks.filter((check) => check.state === 'fail').length
  lines.push('', ...wrap(verdict(report, failed), width, 0))
  return lines.join('\n')
}

function verdict(report: DoctorReport, failed: number): string {
  if (report.problems.length > 0) return 'the engine would not start: correct the configuration'
  if (failed > 0)
    return `the engine would not start: ${failed} of ${report.checks.length} checks failed`
  return 'nothing is missing'
}

function describe({ name, value, source, reserved }: SettingInForce): string {
  const isSet = value !== null && !(Array.isArray(value) && value.length === 0)
  if (!isSet) return `${name} (not set)`
  // A set reserved one is where somebody may wrongly expect something.
  const mark = reserved && source !== 'default' ? `; ${reserved}` : ''
  return `${name} = ${String(value)} (${source}${mark})`
}

function indented(row: string): string {
  return `  ${row}`
}

/** Breaks a text at spaces into rows that leave `indent` columns free. A word longer than a row stays whole. */
function wrap(text: string, width: number, indent: number): string[] {
  const room = Math.max(10, width - indent)
  const rows: string[] = []
  let row = ''
  for (const word of text.split(/\s+/)) {
    if (row !== '' && row.length + 1 + word.length > room) {
      rows.push(row)
      row = word
    } else {
      row = row === '' ? word : `${row} ${word}`
    }
  }
  return [...rows, row]
}
