import { hash } from 'node:crypto'
import { AlteredEvent, decodeBody } from '../../engine/events/envelope.ts'
import { eventId } from '../../engine/events/ids.ts'
import { stepChecksum } from '../../engine/events/step-recorder.ts'
import type { StoredEvent } from '../../engine/ports/event-store.ts'
import type { Anchor } from './anchor.ts'

export const sha256 = (text: string): string => hash('sha256', text)

/** Where a book ends. */
export interface BookEnd {
  position: number
  /** Of the last step, sha256 hex: it stands for every byte of the book up to here. */
  checksum: string
  /** Engine time and wall clock of the last event, ms. */
  at: number
  recordedAt: number
}

export interface AuditFault {
  /** altered: bytes are not what a writer wrote. cut: a witness has seen more, or something else, than the book holds. */
  kind: 'altered' | 'cut'
  position: number
  message: string
}

export interface AuditResult {
  ok: boolean
  bookId: string | null
  events: number
  steps: number
  /** Starts of an engine. */
  runs: number
  head: BookEnd | null
  /** Anchors that were compared. */
  anchors: number
  /** Steps and anchors that are at fault, all together. */
  faults: number
  fault: AuditFault | null
}

/** What is compared with the book: an anchor, or a checksum that one of its steps must have. */
export type Witness = Pick<Anchor, 'checksum'> & Partial<Anchor>

/** The front of a body as writers print it: reading it takes a tenth of parsing the whole. */
const FRONT =
  /^\{"type":"([\w.]+)","version":\d+,"at":(-?\d+),"recordedAt":(-?\d+),"step":(\d+),"because":(?:null|\d+),(?:"mark":\["\w+",\d+,\d+\],)?"data":/
/** An id's front is its run's, the rest its position's. */
const RUN_LENGTH = 19

interface Front {
  type: string
  at: number
  recordedAt: number
  step: number
}

/**
 * Looks at every byte of a book without deciding anything again: the checksums from the first step to the last,
 * positions, ids and types beside the bodies, engine time. Feed it the whole book in order. A book that ends too
 * early is sound in itself; only a witness from outside shows it.
 */
export class BookAudit {
  private step: StoredEvent[] = []
  private previous = ''
  private next = 0
  private runFront: string | null = null
  private bookId: string | null = null
  private runs = 0
  private steps = 0
  private head: BookEnd | null = null
  private at = Number.NEGATIVE_INFINITY
  private faults = 0
  private fault: AuditFault | null = null
  private readonly positioned = new Map<number, Witness[]>()
  private readonly unplaced = new Set<string>()
  private readonly witnesses: readonly Witness[]

  constructor(witnesses: readonly Witness[] = []) {
    this.witnesses = witnesses
    for (const witness of witnesses) {
      const { position, checksum } = witness
      if (position === undefined) this.unplaced.add(checksum)
      else this.positioned.set(position, [...(this.positioned.get(position) ?? []), witness])
    }
  }

  /** The end of the last whole step; null before the first. */
  get end(): Readonly<BookEnd> | null {
    return this.head
  }

  /** The first fault so far. */
  get firstFault(): Readonly<AuditFault> | null {
    return this.fault
  }

  get id(): string | null {
    return this.bookId
  }

  /** True when the event ended its step. */
  feed(event: StoredEvent): boolean {
    this.step.push(event)
    if (event.checksum === null) return false
    const step = this.step
    this.step = []
    this.closeStep(step)
    return true
  }

  finish(): AuditResult {
    const [open] = this.step
    if (open !== undefined) {
      this.report('altered', open.position, 'the last step has no checksum: its end is missing')
    }
    this.compareWitnesses()
    return {
      ok: this.faults === 0,
      bookId: this.bookId,
      events: this.next,
      steps: this.steps,
      runs: this.runs,
      head: this.head,
      anchors: this.witnesses.length,
      faults: this.faults,
      fault: this.fault,
    }
  }

  private closeStep(step: readonly StoredEvent[]): void {
    const first = step[0]!
    const last = step[step.length - 1]!
    const checksum = last.checksum!
    this.steps++
    const flaw = this.flawOf(step)
    if (flaw !== null) this.report('altered', flaw.position, flaw.message)
    this.previous = checksum
    this.next = last.position + 1
    const front = frontOf(last)
    const { at = this.at, recordedAt = 0 } = front ?? {}
    this.head = { position: last.position, checksum, at, recordedAt }
    this.unplaced.delete(checksum)
    for (const witness of this.positioned.get(last.position) ?? []) {
      if (witness.checksum === checksum) continue
      const message = `${described(witness)} has another checksum than the step that ends at ${last.position} of the book: another past was seen than the book holds`
      this.report('cut', first.position, message)
    }
    this.positioned.delete(last.position)
  }

  /** The first thing of a step that no writer leaves behind; null when there is none. */
  private flawOf(step: readonly StoredEvent[]): { position: number; message: string } | null {
    const first = step[0]!
    const flaw = ({ position }: StoredEvent, message: string) => ({ position, message })
    const bodies = step.map(({ body }) => body)
    if (stepChecksum(sha256, this.previous, first.id, bodies) !== step[step.length - 1]!.checksum) {
      return flaw(first, `the step that begins at ${first.position} does not match its checksum`)
    }
    for (const [index, event] of step.entries()) {
      const due = this.next + index
      if (event.position !== due) return flaw(event, `position ${due} is missing`)
      const front = frontOf(event)
      if (front === null) return flaw(event, `the body at ${due} is not an event`)
      if (front.type !== event.type) {
        return flaw(event, `${front.type} at ${due} is filed as ${event.type}`)
      }
      if (front.step !== first.position) {
        return flaw(event, `the event at ${due} says that it belongs to step ${front.step}`)
      }
      if (front.at < this.at) return flaw(event, `engine time goes back at ${due}`)
      this.at = front.at
    }
    return this.beginning(first, flaw) ?? this.foreignId(step, flaw)
  }

  /** What the first event of a step says of the book and its runs. */
  private beginning(
    first: StoredEvent,
    flaw: (event: StoredEvent, message: string) => { position: number; message: string },
  ): { position: number; message: string } | null {
    if ((first.type === 'book.created') !== (first.position === 0)) {
      return flaw(
        first,
        `${first.type} at ${first.position}: a book begins with book.created, once`,
      )
    }
    if (first.type === 'book.created') {
      const { bookId } = dataOf(first)
      this.bookId = typeof bookId === 'string' ? bookId : null
      if (this.bookId === null) return flaw(first, 'the book has no id')
      this.runFront = first.id.slice(0, RUN_LENGTH)
    } else if (first.type === 'engine.started') {
      this.runs++
      const { run } = dataOf(first)
      const expected = eventId(typeof run === 'string' ? run : '', first.position)
      if (first.id !== expected) {
        return flaw(first, `the id of engine.started at ${first.position} is not that of its run`)
      }
      const front = first.id.slice(0, RUN_LENGTH)
      if (this.runs === 1 && this.runFront !== front) {
        return flaw(first, 'another run than the first has made the book')
      }
      this.runFront = front
    }
    return null
  }

  private foreignId(
    step: readonly StoredEvent[],
    flaw: (event: StoredEvent, message: string) => { position: number; message: string },
  ): { position: number; message: string } | null {
    for (const event of step) {
      const tail = eventId('0'.repeat(16), event.position).slice(RUN_LENGTH)
      if (event.id !== `${this.runFront}${tail}`) {
        return flaw(event, `the id at ${event.position} is not that of its run and position`)
      }
    }
    return null
  }

  private compareWitnesses(): void {
    const end = this.next - 1
    for (const witness of this.witnesses) {
      if (witness.bookId !== undefined && witness.bookId !== this.bookId) {
        this.report(
          'cut',
          0,
          `${described(witness)} belongs to book ${witness.bookId}, not ${this.bookId}`,
        )
      }
    }
    for (const [position, witnesses] of this.positioned) {
      for (const witness of witnesses) {
        const message =
          position > end
            ? `the book ends at ${end}, and ${described(witness)} has seen it up to ${position}: its end was cut off, or it is an older copy`
            : `${described(witness)} names the end of a step at ${position}, and none of the book ends there`
        this.report('cut', Math.min(position, end + 1), message)
      }
    }
    for (const checksum of this.unplaced) {
      this.report(
        'cut',
        end + 1,
        `no step of the book has checksum ${checksum}: it was cut off before, or is another book`,
      )
    }
  }

  private report(kind: AuditFault['kind'], position: number, message: string): void {
    this.faults++
    this.fault ??= { kind, position, message }
  }
}

function described({ position, at }: Witness): string {
  return at === undefined ? `the anchor of position ${position}` : `the anchor of ${at}`
}

function frontOf(event: StoredEvent): Front | null {
  const match = FRONT.exec(event.body)
  if (match !== null) {
    const [, type, at, recordedAt, step] = match
    return { type: type!, at: Number(at), recordedAt: Number(recordedAt), step: Number(step) }
  }
  try {
    return decodeBody(event)
  } catch (error) {
    if (error instanceof AlteredEvent) return null
    throw error
  }
}

function dataOf(event: StoredEvent): Record<string, unknown> {
  try {
    return decodeBody(event).data as Record<string, unknown>
  } catch (error) {
    if (error instanceof AlteredEvent) return {}
    throw error
  }
}
