import { Buffer } from 'node:buffer'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import sharedPb, { type StreamIdentifier } from '@eventstore/db-client/generated/shared_pb.js'
import streamsPb, {
  type AppendReq,
  type AppendResp,
  type BatchAppendReq,
  type BatchAppendResp,
  type DeleteReq,
  type DeleteResp,
  type TombstoneReq,
  type TombstoneResp,
} from '@eventstore/db-client/generated/streams_pb.js'
import type grpc from '@grpc/grpc-js'
import { appendAnswer, batchAnswer, idOf, refusals, statusOf } from './double-answers.ts'
import {
  ANY,
  type DoubleEvent,
  type DoubleLog,
  NO_STREAM,
  type Outcome,
  STREAM_EXISTS,
} from './double-log.ts'
import type { Admission, DoubleFaults } from './esdb-double.ts'

/** The server's default MaxAppendSize. */
const MAX_APPEND = 1024 * 1024

/** What becomes of an append: an outcome, a timeout the server admits, or no answer at all. */
type Verdict = Outcome | { kind: 'too large' } | { kind: 'timeout' } | { kind: 'silence' }

export function appendHandlers(log: DoubleLog, faults: DoubleFaults, admit: Admission) {
  const commit = async (
    stream: string,
    expected: number,
    events: DoubleEvent[],
  ): Promise<Verdict> => {
    if (sizeOnDisk(events) > MAX_APPEND) return { kind: 'too large' }
    if (faults.mute) return { kind: 'silence' }
    if (faults.delayMs > 0) await sleep(faults.delayMs)
    if (faults.refuseAppends > 0) {
      faults.refuseAppends -= 1
      throw refusals.notReady()
    }
    const current = log.last(stream)
    if (faults.forgetIds && expected >= NO_STREAM && expected < current) {
      return { kind: 'wrong', current }
    }
    const outcome = log.append(stream, expected, events)
    if (faults.swallowAnswers > 0) {
      faults.swallowAnswers -= 1
      return { kind: 'silence' }
    }
    if (faults.timeOutAfterWriting > 0) {
      faults.timeOutAfterWriting -= 1
      return { kind: 'timeout' }
    }
    return outcome
  }

  const append = (
    call: grpc.ServerReadableStream<AppendReq, AppendResp>,
    answer: grpc.sendUnaryData<AppendResp>,
  ): void => {
    let options: AppendReq.Options | undefined
    const events: DoubleEvent[] = []
    call.on('data', (request: AppendReq) => {
      const message = request.getProposedMessage()
      if (message === undefined) options = request.getOptions()
      else events.push(eventOf(message))
    })
    call.on('error', () => undefined)
    call.on('end', () => {
      const stream = nameOf(options?.getStreamIdentifier())
      const expected = expectedOf(options)
      const work = async (): Promise<AppendResp | null> => {
        // A client that dies while it sends ends the stream too; that it did not finish shows a moment later.
        await nextTurn()
        if (call.cancelled) return null
        admit(call.metadata)
        const verdict = await commit(stream, expected, events)
        if (verdict.kind === 'silence') return null
        if (verdict.kind === 'timeout') throw refusals.timeout()
        if (verdict.kind === 'too large') throw refusals.tooLarge(MAX_APPEND)
        if (verdict.kind === 'deleted') throw refusals.deleted(stream)
        return appendAnswer(verdict, expected)
      }
      work().then(
        (response) => (response === null ? undefined : answer(null, response)),
        (error: unknown) => answer(error as grpc.ServiceError),
      )
    })
  }

  // Several appends share one call; each ends with its final part and is answered by its correlation id.
  const batchAppend = (call: grpc.ServerDuplexStream<BatchAppendReq, BatchAppendResp>): void => {
    const pending = new Map<string, { options: BatchAppendReq.Options; events: DoubleEvent[] }>()
    const finish = async (key: string, request: BatchAppendReq): Promise<void> => {
      const { options, events } = pending.get(key) as NonNullable<ReturnType<typeof pending.get>>
      pending.delete(key)
      const stream = nameOf(options.getStreamIdentifier())
      const verdict = await commit(stream, batchExpected(options), events)
      if (verdict.kind === 'silence') return
      const limit = new sharedPb.MaximumAppendSizeExceeded().setMaxappendsize(MAX_APPEND)
      const outcome =
        verdict.kind === 'timeout'
          ? { kind: 'refused' as const, status: statusOf('Timeout', new sharedPb.Timeout()) }
          : verdict.kind === 'too large'
            ? { kind: 'refused' as const, status: statusOf('MaximumAppendSizeExceeded', limit) }
            : verdict
      call.write(batchAnswer(outcome, stream, request.getCorrelationId()))
    }
    call.on('error', () => undefined)
    call.on('data', (request: BatchAppendReq) => {
      try {
        admit(call.metadata)
      } catch (error) {
        call.emit('error', error)
        return
      }
      const key = idOf(request.getCorrelationId())
      const options = request.getOptions()
      if (options !== undefined) pending.set(key, { options, events: [] })
      pending.get(key)?.events.push(...request.getProposedMessagesList().map(eventOf))
      if (!request.getIsFinal() || !pending.has(key)) return
      finish(key, request).catch((error: unknown) => void call.emit('error', error))
    })
    call.on('end', () => call.end())
  }

  const remove = (
    call: grpc.ServerUnaryCall<DeleteReq | TombstoneReq, DeleteResp | TombstoneResp>,
    answer: (error: grpc.ServiceError | null, commit?: number) => void,
    how: 'delete' | 'tombstone',
  ): void => {
    const options = call.request.getOptions()
    const stream = nameOf(options?.getStreamIdentifier())
    const expected = expectedOf(options)
    try {
      admit(call.metadata)
      const outcome = log[how](stream, expected)
      if (outcome.kind === 'deleted') throw refusals.deleted(stream)
      if (outcome.kind === 'wrong') throw refusals.wrongVersion(stream, expected, outcome.current)
      answer(null, outcome.commit)
    } catch (error) {
      answer(error as grpc.ServiceError)
    }
  }

  return {
    append,
    batchAppend,
    delete: (
      call: grpc.ServerUnaryCall<DeleteReq, DeleteResp>,
      answer: grpc.sendUnaryData<DeleteResp>,
    ) => {
      const position = new streamsPb.DeleteResp.Position()
      remove(
        call,
        (error, commit) => {
          position.setCommitPosition(`${commit}`).setPreparePosition(`${commit}`)
          answer(error, error === null ? new streamsPb.DeleteResp().setPosition(position) : null)
        },
        'delete',
      )
    },
    tombstone: (
      call: grpc.ServerUnaryCall<TombstoneReq, TombstoneResp>,
      answer: grpc.sendUnaryData<TombstoneResp>,
    ) => {
      const position = new streamsPb.TombstoneResp.Position()
      remove(
        call,
        (error, commit) => {
          position.setCommitPosition(`${commit}`).setPreparePosition(`${commit}`)
          answer(error, error === null ? new streamsPb.TombstoneResp().setPosition(position) : null)
        },
        'tombstone',
      )
    },
  }
}

function eventOf(message: AppendReq.ProposedMessage | BatchAppendReq.ProposedMessage): DoubleEvent {
  const metadata = message.getMetadataMap()
  return {
    id: idOf(message.getId()),
    type: metadata.get('type') ?? '',
    json: metadata.get('content-type') === 'application/json',
    data: message.getData_asU8(),
    metadata: message.getCustomMetadata_asU8(),
  }
}

function expectedOf(
  options: AppendReq.Options | DeleteReq.Options | TombstoneReq.Options | undefined,
): number {
  if (options === undefined || options.hasAny()) return ANY
  if (options.hasNoStream()) return NO_STREAM
  return options.hasStreamExists() ? STREAM_EXISTS : Number(options.getRevision())
}

function batchExpected(options: BatchAppendReq.Options): number {
  if (options.hasAny()) return ANY
  if (options.hasNoStream()) return NO_STREAM
  return options.hasStreamExists() ? STREAM_EXISTS : Number(options.getStreamPosition())
}

function nameOf(identifier: StreamIdentifier | undefined): string {
  return Buffer.from(identifier?.getStreamName_asU8() ?? []).toString('utf8')
}

function sizeOnDisk(events: readonly DoubleEvent[]): number {
  let bytes = 0
  for (const { type, data, metadata } of events) {
    bytes += data.length + metadata.length + 2 * type.length
  }
  return bytes
}
