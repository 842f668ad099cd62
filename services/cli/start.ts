/** `bitacora start`: the whole engine in one process. */
import { basename } from 'node:path'
import { type Command, Option } from 'commander'
import type { Timeframe } from '../../engine/market/bar.ts'
import type { ChainSettings } from '../../schemas/types.gen.ts'
import type { EngineOptions } from '../all-in-one/engine-options.ts'
import type { Config } from '../runtime/config.ts'
import { bookPath } from '../runtime/folder.ts'
import {
  addBarOptions,
  type BarOptions,
  barCache,
  barLoadOptions,
  checkSessionYears,
} from './bar-options.ts'
import { shownLocation } from './book-location.ts'
import { codeOf, EXIT, exitCodeOf, UsageError } from './exit-codes.ts'
import { ACTIONS_HELP, loadActions } from './actions.ts'
import { dirOption, isGiven, jsonOption } from './options.ts'
import { print, printJson, warn } from './output.ts'
import {
  addExchangeOptions,
  addRiskOption,
  addStrategyOptions,
  exchangeSettings,
  riskLimits,
  strategySettings,
} from './settings.ts'

interface StartOptions extends BarOptions {
  data?: string[]
  speed: number | 'max'
  symbols?: string
  strategy?: string
  set?: Record<string, string>
  risk?: string
  port?: string
  dir?: string
  skipBadRows?: boolean
  actions?: string
  standby?: boolean
  json?: boolean
}

/** A service manager that waits less would kill it: systemd waits 90 s, Docker is told 30 s. */
const END_WITHIN_MS = 20_000

function speed(text: string): number | 'max' {
  if (text === 'max') return 'max'
  const value = /^\d{1,7}(\.\d+)?$/.test(text) ? Number(text) : 0
  if (value > 0) return value
  throw new UsageError(`--speed ${text}: give bars a second, above zero, or max`)
}

export function registerStart(program: Command): void {
  const command = program
    .command('start')
    .description('run the whole engine in one process, on a folder of its own')
    .addOption(
      new Option('--broker <name>', 'where orders go: sim, the simulated exchange')
        .choices(['sim'])
        .default('sim'),
    )
    .option(
      '--data <path...>',
      'bars to trade: CSV, .csv.gz or Parquet files, or folders (default: AAPL, daily, 2013 to 2018)',
    )
    .addOption(
      new Option('--speed <n>', 'bars a second, or max: the next bar when the engine has settled')
        .argParser(speed)
        .default(1),
    )
    .option(
      '--symbols <list>',
      'symbols that may be traded, such as AAPL,MSFT (default: all with bars)',
    )
    .option('--skip-bad-rows', 'leave bad rows out instead of refusing the file')
    .option('--actions <file>', ACTIONS_HELP)
  addBarOptions(command)
  addStrategyOptions(command)
  addExchangeOptions(command)
  addRiskOption(command)
  command
    .option(
      '--standby',
      'wait until no other engine trades the account on this NATS_URL, then start',
    )
    .option('--port <n>', 'port of the HTTP API (default: API_PORT, else 8080; 0: any free one)')
    .addOption(dirOption())
    .addOption(jsonOption())
    .action(start)
}

async function start(options: StartOptions, command: Command): Promise<void> {
  // Asked to stop before it is up: it is taken down as soon as it is, or at once while it only waits its turn. Asking
  // again changes nothing: npm and a terminal may both pass on the same Ctrl-C.
  const asked = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve())
  })
  const { loadConfig } = await import('../runtime/config.ts')
  const config = loadConfig({
    env: process.env,
    cwd: process.cwd(),
    flags: {
      DATA_DIR: options.dir,
      API_PORT: options.port,
      SYMBOLS: options.symbols,
      STRATEGY: options.strategy,
      TIMEFRAME: options.timeframe,
    },
  })
  for (const warning of config.warnings) warn(warning)
  const stop = new AbortController()
  asked.then(
    () => stop.abort(),
    () => {},
  )
  const engineOptions = {
    ...(await prepare(options, command, config)),
    standby: options.standby === true,
    signal: stop.signal,
  }
  const { startEngine } = await import('../all-in-one/engine.ts')
  const engine = await startEngine(engineOptions).catch((error: unknown) => {
    if (codeOf(error) !== 'wait_ended') throw error
    return null
  })
  // A standby whose turn never came: nothing was taken over, and nothing is left behind.
  if (engine === null) process.exit(0)
  const { maskAddress } = await import('../runtime/config-value.ts')
  // Whoever needs the password finds the address in engine.json, which only its owner reads.
  const shown = { url: engine.url, natsUrl: maskAddress(engine.natsUrl), bookId: engine.bookId }
  tell(shown, engineOptions, options)
  let failure: unknown = null
  try {
    await Promise.race([asked, engine.done])
  } catch (error) {
    failure = error
    throw error
  } finally {
    if (process.stderr.isTTY) process.stderr.write('stopping\n')
    // Nothing is lost by leaving a part behind that does not end: the book holds what was confirmed.
    const late = setTimeout(() => {
      warn(
        `not ended after ${END_WITHIN_MS / 1000} s: leaving; the next start goes on from the book`,
      )
      if (failure instanceof Error) warn(failure.message)
      process.exit(failure === null ? EXIT.failed : exitCodeOf(failure))
    }, END_WITHIN_MS)
    await engine.close()
    clearTimeout(late)
  }
  // The SDKs below may keep a timer for a while; everything of ours has ended.
  process.exit(0)
}

async function prepare(
  options: StartOptions,
  command: Command,
  config: Config,
): Promise<EngineOptions> {
  const { values } = config
  const { loadBars } = await import('../market-data/bar-set.ts')
  const { demoBarsPath } = await import('../market-data/demo-data.ts')
  const { createLog } = await import('../runtime/log.ts')
  const { readTokensFile } = await import('../http-api/access.ts')
  const { checkSignature, readKeysFile, signatureHeaders } = await import(
    '../runtime/webhook-signature.ts'
  )
  const paths = options.data ?? [demoBarsPath()]
  const bars = await loadBars(paths, {
    ...barLoadOptions(options, (values.TIMEFRAME ?? undefined) as Timeframe | undefined),
    cache: barCache(values.DATA_DIR),
    skipBadRows: options.skipBadRows === true,
  })
  const symbols = values.SYMBOLS.length > 0 ? [...values.SYMBOLS] : [...bars.symbols]
  const absent = symbols.filter((symbol) => !bars.symbols.includes(symbol))
  if (absent.length > 0) {
    throw new UsageError(
      `--symbols ${absent.join(',')}: the data has no such bars; it has ${bars.symbols.join(', ')}`,
    )
  }
  const exchange = exchangeSettings(command)
  checkSessionYears(bars.columns, exchange.sessions)
  if (!bars.hasVolume && exchange.participation > 0) {
    if (isGiven(command, 'participation'))
      warn('the data has no volume: --participation is ignored')
  }
  for (const fault of bars.skipped) warn(`skipped ${fault.file}:${fault.line}: ${fault.reason}`)
  for (const notice of bars.notices) warn(notice)
  for (const path of bars.ignored) warn(`${path} holds no bars: ignored`)
  const settings: ChainSettings = {
    feed: 'historical',
    timeframe: bars.timeframe,
    symbols,
    strategies: [strategySettings(options.strategy ?? values.STRATEGY, options.set)],
    risk: await riskLimits(options.risk),
    exchange,
  }
  const signing = values.SIGNALS_KEYS_FILE === null ? null : readKeysFile(values.SIGNALS_KEYS_FILE)
  if (signing?.warning) warn(signing.warning)
  const keys: ReadonlyMap<string, readonly Buffer[]> = signing?.keys ?? new Map()
  return {
    dir: values.DATA_DIR,
    account: 'main',
    version: program(command).version() ?? '',
    settings,
    bars,
    ...(options.actions !== undefined && {
      actions: loadActions(options.actions, bars, warn),
    }),
    feed: options.data === undefined ? 'demo' : feedName(paths),
    speed: options.speed,
    host: values.API_HOST,
    port: values.API_PORT,
    ...(values.NATS_URL !== null && { natsUrl: values.NATS_URL }),
    natsBinary: values.NATS_SERVER_BIN,
    eventStoreUrl: values.EVENTSTORE_URL,
    otlpEndpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT,
    tokens: values.API_TOKENS_FILE === null ? null : readTokensFile(values.API_TOKENS_FILE),
    sign: (operator, message) => {
      const key = keys.get(operator)?.[0]
      const timestamp = String(Math.floor(Date.now() / 1000))
      return key === undefined ? {} : signatureHeaders({ ...message, timestamp }, key)
    },
    signals: {
      requireSignature: values.SIGNALS_REQUIRE_SIGNATURE ?? false,
      checkSignature: (message, operator) => checkSignature(keys, message, operator),
    },
    backoff: {
      baseMs: values.BASE_BACKOFF_TIME_MS,
      maxMs: values.MAX_BACKOFF_TIME_MS,
      jitter: values.JITTER_FACTOR,
    },
    log: createLog({ level: values.LOG_LEVEL, name: 'engine', secrets: config.secrets }),
  }
}

function program(command: Command): Command {
  return command.parent === null ? command : program(command.parent)
}

function feedName(paths: readonly string[]): string {
  return `file:${paths.map((path) => basename(path)).join('+')}`.slice(0, 64)
}

function tell(
  engine: { url: string; natsUrl: string; bookId: string },
  started: EngineOptions,
  options: StartOptions,
): void {
  const { settings, bars, dir } = started
  if (options.json) {
    printJson({
      ready: true,
      url: engine.url,
      natsUrl: engine.natsUrl,
      bookId: engine.bookId,
      dir,
      pid: process.pid,
      symbols: settings.symbols,
      timeframe: settings.timeframe,
      bars: bars.columns.length,
    })
    return
  }
  const [strategy] = settings.strategies
  const params = Object.entries(strategy?.params ?? {})
  const pace =
    started.speed === 'max' ? 'as fast as the engine settles' : `${started.speed} a second`
  const limits =
    settings.risk === null ? 'no limits' : `${Object.keys(settings.risk).length} limits`
  const place = { path: bookPath(dir), url: started.eventStoreUrl }
  print(`book      ${engine.bookId} in ${shownLocation(place)}`)
  print(
    `bars      ${settings.symbols.join(', ')} ${settings.timeframe}, ${bars.columns.length}, ${pace}`,
  )
  print(`strategy  ${strategy?.name} ${params.map(([key, value]) => `${key}=${value}`).join(' ')}`)
  print(`risk      ${limits}; orders go to the simulated exchange`)
  print(`nats      ${engine.natsUrl}`)
  print(`http      ${engine.url}`)
  print('ready; Ctrl-C stops it, the next start goes on from here')
}
