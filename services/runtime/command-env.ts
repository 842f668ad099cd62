import { readFileSync } from 'node:fs'
import { type ConfigProblem, InvalidConfig } from './config.ts'
import { type Dotenv, parseDotenv } from './dotenv.ts'

/**
 * The environment over `.env` of the current folder, for commands that only look for an engine. They take what they
 * need and leave wrong names and values to `start` and `doctor`; but a file that cannot be read as a whole may name
 * another engine than the default, so none is looked for. Throws InvalidConfig.
 */
export function commandEnv(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  let text: string
  try {
    text = readFileSync('.env', 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return env
    throw new InvalidConfig([faulty('.env', `cannot be read (${code ?? String(error)})`)])
  }
  const { entries, problems }: Dotenv = parseDotenv(text)
  if (problems.length > 0) {
    throw new InvalidConfig(
      problems.map(({ line, message }) => faulty(`.env line ${line}`, message)),
    )
  }
  return { ...Object.fromEntries(entries.map(({ name, value }) => [name, value])), ...env }
}

function faulty(where: string, what: string): ConfigProblem {
  return { name: '.env', where, value: null, allowed: null, message: `${where} ${what}` }
}
