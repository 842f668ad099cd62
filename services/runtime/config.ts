import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  findSetting,
  OUR_PREFIXES,
  SETTINGS,
  type SettingName,
  type Settings,
  type SettingSpec,
  type SettingValue,
} from './config-spec.ts'
import { addressSecrets, allowedValues, maskText, parseValue, quote } from './config-value.ts'
import { parseDotenv } from './dotenv.ts'
import { nearestName } from './near-name.ts'

export type SettingSource = 'default' | '.env' | 'environment' | 'flag'

export interface Config {
  readonly values: Settings
  /** Where each value in force comes from. */
  readonly sources: Readonly<Record<SettingName, SettingSource>>
  /** Not wrong, but hardly meant: one line each. */
  readonly warnings: readonly string[]
  /** The secrets among the values, for the log to strike out. */
  readonly secrets: readonly string[]
}

export interface ConfigInput {
  env: Readonly<Record<string, string | undefined>>
  /** Folder whose `.env` is read, and from which relative paths are taken. */
  cwd: string
  /** Command-line options by the name of their setting; undefined: not given. */
  flags?: Readonly<Partial<Record<SettingName, string | number | boolean | undefined>>>
}

export interface ConfigProblem {
  /** The setting, the unknown name, or `.env`. */
  name: string
  /** `environment`, `.env line 3`, `--port`. */
  where: string
  /** As given, masked where it may be a secret; null: not shown. */
  value: string | null
  /** The values allowed; null where the name is the problem. */
  allowed: string | null
  /** One sentence with all of the above. */
  message: string
}

/** Settings that cannot be used: every problem at once. Nothing was started. */
export class InvalidConfig extends Error {
  override name = 'InvalidConfig'
  readonly code = 'invalid_config'
  readonly problems: readonly ConfigProblem[]
  constructor(problems: readonly ConfigProblem[]) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
    const lines = problems.map((problem) => `  ${problem.message}`).join('\n')
    super(
      `the configuration has ${count}; correct them and start again (.env.example lists all settings):\n${lines}`,
    )
    this.problems = problems
  }
}

interface Given {
  text: string
  source: SettingSource
  where: string
}

const NAMES: readonly string[] = SETTINGS.map((spec) => spec.name)
/** A misspelling of one of our own names is further off than a chance likeness of a foreign one may be. */
const OWN_DISTANCE = 4
const FOREIGN_DISTANCE = 2

/**
 * The settings in force: options, over the environment, over `.env` in `cwd`, over defaults. A value left
 * empty means the default, whatever the lower layers say. Throws InvalidConfig.
 */
export function loadConfig(input: ConfigInput): Config {
  const problems: ConfigProblem[] = []
  const warnings: string[] = []
  const given = new Map<string, Given>()
  readDotenv(input.cwd, given, problems)
  readEnvironment(input.env, given, problems, warnings)
  for (const [name, value] of Object.entries(input.flags ?? {})) {
    const where = findSetting(name)?.flag ?? `option ${name}`
    if (value !== undefined) given.set(name, { text: String(value).trim(), source: 'flag', where })
  }
  const values: Record<string, SettingValue> = {}
  const sources: Record<string, SettingSource> = {}
  const secrets = new Set<string>()
  for (const spec of SETTINGS as readonly SettingSpec[]) {
    const entry = given.get(spec.name)
    const set = entry !== undefined && entry.text !== ''
    sources[spec.name] = set ? entry.source : 'default'
    const text = set ? entry.text : spec.default
    if (text === '') {
      values[spec.name] = spec.kind === 'symbols' ? [] : null
      continue
    }
    const parsed = parseValue(spec, text, input.cwd)
    if (parsed.ok) values[spec.name] = parsed.value
    else problems.push(wrongValue(spec, text, entry?.where ?? 'default', parsed.why))
    if (spec.secret) secrets.add(text)
    if (spec.kind === 'url') for (const secret of addressSecrets(text)) secrets.add(secret)
  }
  const settings = values as unknown as Settings
  compare(settings, given, problems, warnings)
  if (problems.length > 0) throw new InvalidConfig(problems)
  return {
    values: settings,
    sources: sources as Record<SettingName, SettingSource>,
    warnings,
    secrets: [...secrets],
  }
}

function readDotenv(cwd: string, given: Map<string, Given>, problems: ConfigProblem[]): void {
  let text: string
  try {
    text = readFileSync(join(cwd, '.env'), 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT') problems.push(faultyFile('.env', `cannot be read (${message})`))
    return
  }
  const read = parseDotenv(text)
  for (const { line, message } of read.problems) {
    problems.push(faultyFile(`.env line ${line}`, message))
  }
  const lines = new Map<string, number>()
  for (const { name, value, line } of read.entries) {
    const where = `.env line ${line}`
    const before = lines.get(name)
    lines.set(name, line)
    if (before !== undefined) {
      problems.push(faultyFile(where, `sets ${name} again, which line ${before} has set: keep one`))
    } else if (findSetting(name)) {
      given.set(name, { text: value.trim(), source: '.env', where })
    } else {
      problems.push(unknownName(name, where))
    }
  }
}

function readEnvironment(
  env: ConfigInput['env'],
  given: Map<string, Given>,
  problems: ConfigProblem[],
  warnings: string[],
): void {
  for (const name of Object.keys(env).sort()) {
    const value = env[name]
    if (value === undefined) continue
    if (findSetting(name)) {
      given.set(name, { text: value.trim(), source: 'environment', where: 'environment' })
    } else if (OUR_PREFIXES.some((prefix) => name.startsWith(prefix))) {
      problems.push(unknownName(name, 'environment'))
    } else {
      const meant = name.length < 6 ? undefined : nearestName(name, NAMES, FOREIGN_DISTANCE)
      if (meant) warnings.push(`${name} (environment) is no setting; did you mean ${meant}?`)
    }
  }
}

/** What only two values together show. */
function compare(
  values: Settings,
  given: ReadonlyMap<string, Given>,
  problems: ConfigProblem[],
  warnings: string[],
): void {
  const { BASE_BACKOFF_TIME_MS: base, MAX_BACKOFF_TIME_MS: most } = values
  if (most < base) {
    const where = given.get('MAX_BACKOFF_TIME_MS')?.where ?? 'default'
    const allowed = `at least BASE_BACKOFF_TIME_MS, which is ${base}`
    problems.push(problem('MAX_BACKOFF_TIME_MS', where, quote(String(most)), allowed))
  }
  const keys = (['ALPACA_API_KEY', 'ALPACA_API_SECRET'] as const).filter((name) => values[name])
  if (keys.length === 1) warnings.push(`${keys[0]} is set alone: key and secret go together`)
  if (values.SIGNALS_REQUIRE_SIGNATURE && !values.SIGNALS_KEYS_FILE) {
    warnings.push(
      'SIGNALS_REQUIRE_SIGNATURE without SIGNALS_KEYS_FILE: every manual signal will be refused',
    )
  }
}

function wrongValue(
  spec: SettingSpec,
  text: string,
  where: string,
  why: string | undefined,
): ConfigProblem {
  const shown = spec.secret ? maskText(spec, text) : quote(maskText(spec, text))
  return problem(spec.name, where, shown, allowedValues(spec), why)
}

function problem(
  name: string,
  where: string,
  value: string,
  allowed: string,
  why?: string,
): ConfigProblem {
  const message = `${name} (${where}) is ${value}${why ? `: ${why}` : ''}; allowed: ${allowed}`
  return { name, where, value, allowed, message }
}

function unknownName(name: string, where: string): ConfigProblem {
  const meant = nearestName(name, NAMES, OWN_DISTANCE)
  // Its value is not shown: a misspelt secret is a secret.
  const message = `${name} (${where}) is no setting${meant ? `; did you mean ${meant}?` : ''}`
  return { name, where, value: null, allowed: null, message }
}

function faultyFile(where: string, what: string): ConfigProblem {
  return { name: '.env', where, value: null, allowed: null, message: `${where} ${what}` }
}
