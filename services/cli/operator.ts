/** Who uses the command line: the login name, as far as a subject can carry it. */
export function defaultOperator(env: NodeJS.ProcessEnv = process.env): string {
  const name = (env.USER ?? '').replaceAll(/[^A-Za-z0-9_-]/g, '-').slice(0, 64)
  return name === '' ? 'cli' : name
}
