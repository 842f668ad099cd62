import { readFileSync } from 'node:fs'
import { parseDotenv } from './dotenv.ts'

/**
 * The environment over `.env` of the current folder, for commands that only look for an engine. They take what they
 * need and leave the faults of the file to `start` and `doctor`.
 */
export function commandEnv(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  let text: string
  try {
    text = readFileSync('.env', 'utf8')
  } catch {
    return env
  }
  const { entries } = parseDotenv(text)
  return { ...Object.fromEntries(entries.map(({ name, value }) => [name, value])), ...env }
}
