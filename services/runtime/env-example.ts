import { reservedMark, SETTINGS, type SettingSpec } from './config-spec.ts'
import { allowedValues } from './config-value.ts'

const HEAD = `# Settings of Bitácora. Copy this file to .env in the folder where you start it, and change what you need;
# the environment overrides .env, options of the command line override both. Empty: the default.
# Quote a value that holds spaces or begins with a quote; nothing is interpolated; unknown names are refused.
`

/** The content of `.env.example`: each setting with its default, what it is for, and what it takes. */
export function renderEnvExample(): string {
  const inForce = SETTINGS.filter((spec) => spec.since !== null)
  const reserved = SETTINGS.filter((spec) => spec.since === null)
  return [
    HEAD,
    ...inForce.map(line),
    '',
    '# Of features still to come: checked, and without effect in this version.',
    ...reserved.map(line),
    '',
  ].join('\n')
}

function line(spec: SettingSpec): string {
  const plain = ['path', 'text', 'file', 'program', 'host'].includes(spec.kind)
  const allowed = plain ? '' : ` [${allowedValues(spec)}]`
  const later = spec.later ? ` (later: ${spec.later.join(', ')})` : ''
  const reserved = spec.since === null ? ` (${reservedMark(spec)})` : ''
  return `${spec.name}=${spec.default} # ${spec.help}${allowed}${later}${reserved}`
}
