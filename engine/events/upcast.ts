import { EVENT_VERSIONS, type EventType } from '../../schemas/types.gen.ts'

/** Turns the data of one version into the next. Pure; a default it fills in is part of the meaning of the old version. */
export interface Upcaster {
  type: EventType
  /** Version it reads; it writes from + 1. */
  from: number
  up(data: Record<string, unknown>): Record<string, unknown>
}

/** Every change of an event's shape since version 1. */
const UPCASTERS: readonly Upcaster[] = []

/** Thrown when the book holds a version that this code cannot read. */
export class UnreadableVersion extends Error {
  override name = 'UnreadableVersion'
  readonly code = 'unreadable_version'
}

/** Reads events of every version ever written into the current one. */
export class UpcastRegistry {
  private readonly steps = new Map<string, Upcaster>()
  private readonly versions: Readonly<Partial<Record<EventType, number>>>

  /** Throws when an upcaster is missing between version 1 and the current one, or leads nowhere. */
  constructor(
    upcasters: readonly Upcaster[] = UPCASTERS,
    versions: Readonly<Partial<Record<EventType, number>>> = EVENT_VERSIONS,
  ) {
    this.versions = versions
    for (const step of upcasters) {
      const key = `${step.type}@${step.from}`
      if (this.steps.has(key)) throw new Error(`two upcasters read ${key}`)
      const current = versions[step.type]
      if (current === undefined || step.from >= current) {
        throw new Error(`the upcaster of ${key} leads beyond the current version`)
      }
      this.steps.set(key, step)
    }
    for (const [type, current] of Object.entries(versions)) {
      for (let from = 1; from < current; from++) {
        if (!this.steps.has(`${type}@${from}`)) throw new Error(`no upcaster reads ${type}@${from}`)
      }
    }
  }

  /** The data in the current version. Throws UnreadableVersion for a type or version this code does not know. */
  read(type: EventType, version: number, data: unknown): unknown {
    const current = Object.hasOwn(this.versions, type) ? this.versions[type] : undefined
    if (version === current) return data
    if (current === undefined)
      throw new UnreadableVersion(`events of type ${type} are unknown here`)
    if (!Number.isInteger(version) || version > current || version < 1) {
      throw new UnreadableVersion(
        `${type} version ${version} was written by a newer Bitácora; this one reads up to ${current}: upgrade it`,
      )
    }
    let value = data as Record<string, unknown>
    for (let from = version; from < current; from++) {
      value = this.steps.get(`${type}@${from}`)!.up(value)
    }
    return value
  }
}
