import { Buffer } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js'
import type grpc from '@grpc/grpc-js'
import {
  caughtUpAnswer,
  checkpointAnswer,
  confirmationAnswer,
  eventAnswer,
  notFoundAnswer,
  refusals,
} from './double-answers.ts'
import type { DoubleLog, DoubleRecord } from './double-log.ts'

export type ReadCall = grpc.ServerWritableStream<ReadReq, ReadResp>
type ReadOptions = ReadReq.Options

/** Records between two checkpoints of a filtered subscription, times the client's multiplier. */
const CHECKPOINT_WINDOW = 32

/** Reads of a stream or of all, forwards and backwards, finite. Throws a gRPC error. */
export async function finiteRead(log: DoubleLog, options: ReadOptions, call: ReadCall) {
  const stream = streamName(options)
  const backwards = options.getReadDirection() === 1
  const count = Number(options.getCount())
  const structured = options.getUuidOption()?.hasStructured() ?? false
  if (stream !== null && log.isTombstoned(stream)) throw refusals.deleted(stream)
  const visible = stream === null ? { first: 0, events: log.records } : log.visible(stream)
  if (visible === null) {
    await send(call, notFoundAnswer(stream ?? ''))
    return
  }
  const matches = stream === null ? filterOf(options) : () => true
  const end = visible.events.length - 1
  let at = startOf(options, backwards, end)
  if (!backwards) at = Math.max(at, visible.first)
  let sent = 0
  while (sent < count && at >= visible.first && at <= end && !call.cancelled) {
    const record = visible.events[at] as DoubleRecord
    if (matches(record)) {
      await send(call, eventAnswer(record, structured))
      sent += 1
    }
    at += backwards ? -1 : 1
  }
}

/** A subscription to a stream or to all, after a place, until the call ends. Throws a gRPC error. */
export async function subscription(
  log: DoubleLog,
  options: ReadOptions,
  call: ReadCall,
  isDeaf: () => boolean,
) {
  const stream = streamName(options)
  const structured = options.getUuidOption()?.hasStructured() ?? false
  const matches = stream === null ? filterOf(options) : () => true
  const multiplier = options.getFilter()?.getCheckpointintervalmultiplier() ?? 0
  let at = subscriptionStart(log, options, stream)
  let unseen = 0
  let live = false
  if (stream !== null && log.isTombstoned(stream)) throw refusals.deleted(stream)
  await send(call, confirmationAnswer(randomUUID()))
  while (!call.cancelled) {
    const visible = stream === null ? { first: 0, events: log.records } : log.visible(stream)
    const events = visible?.events ?? []
    while (at < events.length && !call.cancelled && !isDeaf()) {
      live = false
      const record = events[Math.max(at, visible?.first ?? 0)]
      if (record === undefined) break
      at = Math.max(at, visible?.first ?? 0) + 1
      unseen += 1
      if (matches(record)) await send(call, eventAnswer(record, structured))
      if (multiplier > 0 && unseen >= multiplier * CHECKPOINT_WINDOW) {
        unseen = 0
        await send(call, checkpointAnswer(record.commit))
      }
    }
    if (stream !== null && log.isTombstoned(stream)) throw refusals.deleted(stream)
    if (!live && !isDeaf()) await send(call, caughtUpAnswer())
    live = true
    await nextWrite(log, call)
  }
}

/** Name of the stream asked for, null for all. */
export function streamName(options: ReadOptions): string | null {
  const stream = options.getStream()
  if (stream === undefined) return null
  return Buffer.from(stream.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString('utf8')
}

function startOf(options: ReadOptions, backwards: boolean, end: number): number {
  const place = options.getStream() ?? options.getAll()
  if (place === undefined || place.hasStart()) return 0
  if (place.hasEnd()) return backwards ? end : end + 1
  const stream = options.getStream()
  // A position of all is exclusive when read backwards.
  const at =
    stream === undefined
      ? Number(options.getAll()?.getPosition()?.getCommitPosition() ?? 0) - (backwards ? 1 : 0)
      : Number(stream.getRevision())
  return backwards ? Math.min(at, end) : at
}

function subscriptionStart(log: DoubleLog, options: ReadOptions, stream: string | null): number {
  const place = options.getStream() ?? options.getAll()
  if (place === undefined || place.hasStart()) return 0
  if (place.hasEnd()) return stream === null ? log.records.length : log.last(stream) + 1
  if (stream !== null) return Number(options.getStream()?.getRevision()) + 1
  return Number(options.getAll()?.getPosition()?.getCommitPosition() ?? 0) + 1
}

function filterOf(options: ReadOptions): (record: DoubleRecord) => boolean {
  const filter = options.getFilter()
  const byName = filter?.getStreamIdentifier()
  const expression = byName ?? filter?.getEventType()
  if (expression === undefined) return () => true
  const text = (record: DoubleRecord) => (byName === undefined ? record.type : record.stream)
  const regex = expression.getRegex() === '' ? null : new RegExp(expression.getRegex())
  if (regex !== null) return (record) => regex.test(text(record))
  const prefixes = expression.getPrefixList()
  return (record) => prefixes.some((prefix) => text(record).startsWith(prefix))
}

async function send(call: ReadCall, answer: ReadResp): Promise<void> {
  if (call.cancelled || call.write(answer)) return
  await new Promise<void>((resolve) => {
    const done = () => {
      call.off('drain', done).off('cancelled', done)
      resolve()
    }
    call.on('drain', done).on('cancelled', done)
  })
}

async function nextWrite(log: DoubleLog, call: ReadCall): Promise<void> {
  await new Promise<void>((resolve) => {
    const stop = log.onWrite(done)
    function done() {
      stop()
      call.off('cancelled', done)
      resolve()
    }
    call.once('cancelled', done)
    if (call.cancelled) done()
  })
}
