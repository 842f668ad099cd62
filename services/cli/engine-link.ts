/** How commands reach a running engine. */
import { resolve } from 'node:path'
import { commandEnv } from '../runtime/command-env.ts'
import { type EngineRecord, engineDir, isRunning, readEngineFile } from '../runtime/folder.ts'
import { CliError, UsageError } from './exit-codes.ts'

export interface EngineLink {
  natsUrl: string
  /** Null when only its NATS server is known. */
  httpUrl: string | null
  httpToken?: string
  /** What names it in messages. */
  where: string
}

/**
 * The engine of --dir; without one that of the default folder, or the one behind NATS_URL. Where both exist and
 * are not the same nobody can tell which was meant, and a signal must not go to the wrong one.
 * Throws no_engine, UsageError.
 */
export function findEngine(
  dir: string | undefined,
  env: NodeJS.ProcessEnv = commandEnv(),
): EngineLink {
  const folder = engineDir(dir, env)
  const record = readEngineFile(folder)
  const url = env.NATS_URL || undefined
  if (dir === undefined && url !== undefined) {
    if (record !== null && sameServer(record.natsUrl, url)) return link(folder, record)
    if (record !== null && isRunning(record)) {
      throw new UsageError(
        `NATS_URL names another engine than the one that runs in ${resolve(folder)}: give --dir, or unset NATS_URL`,
      )
    }
    return { natsUrl: url, httpUrl: null, where: 'NATS_URL' }
  }
  if (record !== null) return link(folder, record)
  throw new CliError(
    'no_engine',
    `no engine runs in ${resolve(folder)}: start one with \`bitacora start --dir ${folder}\`, or name its folder with --dir or its server in NATS_URL`,
  )
}

function link(folder: string, record: EngineRecord): EngineLink {
  const { natsUrl, httpUrl, httpToken } = record
  return {
    natsUrl,
    httpUrl,
    ...(httpToken !== undefined && { httpToken }),
    where: resolve(folder),
  }
}

function sameServer(a: string, b: string): boolean {
  const host = (url: string) => url.replace(/^[a-z]+:\/\//i, '').replace(/^[^@/]*@/, '')
  return host(a) === host(b)
}

const TIMEOUT_MS = 3000

/** An engine's API, and the token that it wants where it wants one. */
export interface EngineApi {
  httpUrl: string
  httpToken?: string
}

/** The API of an engine that has one. */
export function apiOf({ httpUrl, httpToken }: EngineRecord | EngineLink): EngineApi | null {
  if (httpUrl === null) return null
  return { httpUrl, ...(httpToken !== undefined && { httpToken }) }
}

/** One GET of an engine's API. A problem document is an answer too. Throws engine_unreachable. */
export async function getJson(
  { httpUrl, httpToken }: EngineApi,
  path: string,
  timeoutMs: number = TIMEOUT_MS,
): Promise<{ status: number; body: unknown }> {
  const url = new URL(path, httpUrl).href
  try {
    const headers: Record<string, string> =
      httpToken === undefined ? {} : { authorization: `Bearer ${httpToken}` }
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(timeoutMs) })
    const text = await response.text()
    return { status: response.status, body: parse(text) }
  } catch (error) {
    const cause = (error as { cause?: { code?: string } }).cause?.code
    const reason = cause ?? (error instanceof Error ? error.message : String(error))
    throw new CliError(
      'engine_unreachable',
      `${url} does not answer (${reason}): is the engine still running?`,
    )
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
