import { Buffer } from 'node:buffer'
import sharedPb, { type UUID } from '@eventstore/db-client/generated/shared_pb.js'
import statusPb, { type Status } from '@eventstore/db-client/generated/status_pb.js'
import streamsPb, {
  type AppendResp,
  type BatchAppendResp,
  type ReadResp,
} from '@eventstore/db-client/generated/streams_pb.js'
import grpc from '@grpc/grpc-js'
import anyPb from 'google-protobuf/google/protobuf/any_pb.js'
import type { DoubleRecord, Outcome } from './double-log.ts'

/** .NET ticks in a millisecond; `created` travels as ticks since 1970. */
const TICKS = 10_000n

/** A gRPC error with the trailers by which the server tells its exceptions apart. */
export function refusal(
  code: grpc.status,
  details: string,
  trailers: Record<string, string> = {},
): grpc.ServiceError {
  const metadata = new grpc.Metadata()
  for (const [key, value] of Object.entries(trailers)) metadata.set(key, value)
  return Object.assign(new Error(details), { code, details, metadata })
}

export const refusals = {
  unauthenticated: () => refusal(grpc.status.UNAUTHENTICATED, 'Unauthenticated'),
  accessDenied: () =>
    refusal(grpc.status.PERMISSION_DENIED, 'Access Denied', { exception: 'access-denied' }),
  notReady: () => refusal(grpc.status.UNAVAILABLE, 'Server Is Not Ready'),
  timeout: () => refusal(grpc.status.ABORTED, 'Operation timed out: commit'),
  deleted: (stream: string) =>
    refusal(grpc.status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, {
      exception: 'stream-deleted',
      'stream-name': stream,
    }),
  tooLarge: (limit: number) =>
    refusal(grpc.status.INVALID_ARGUMENT, `Maximum Append Size of ${limit} Exceeded.`, {
      exception: 'maximum-append-size-exceeded',
      'maximum-append-size': `${limit}`,
    }),
  wrongVersion: (stream: string, expected: number, current: number) =>
    refusal(grpc.status.FAILED_PRECONDITION, `Wrong expected version of ${stream}`, {
      exception: 'wrong-expected-version',
      'stream-name': stream,
      'expected-version': `${expected}`,
      'actual-version': `${current}`,
    }),
  leaderElsewhere: (host: string, port: number) =>
    refusal(grpc.status.NOT_FOUND, 'Leader info available', {
      exception: 'not-leader',
      'leader-endpoint-host': host,
      'leader-endpoint-port': `${port}`,
    }),
}

export function appendAnswer(outcome: Outcome, expected: number): AppendResp {
  const answer = new streamsPb.AppendResp()
  if (outcome.kind === 'success') {
    const success = new streamsPb.AppendResp.Success()
    success.setCurrentRevision(`${outcome.last}`)
    const position = new streamsPb.AppendResp.Position()
    position.setCommitPosition(`${outcome.commit}`)
    position.setPreparePosition(`${outcome.commit}`)
    success.setPosition(position)
    return answer.setSuccess(success)
  }
  const wrong = new streamsPb.AppendResp.WrongExpectedVersion()
  const current = outcome.kind === 'wrong' ? outcome.current : -1
  if (current < 0) wrong.setCurrentNoStream(new sharedPb.Empty())
  else wrong.setCurrentRevision(`${current}`)
  if (expected >= 0) wrong.setExpectedRevision(`${expected}`)
  else if (expected === -1) wrong.setExpectedNoStream(new sharedPb.Empty())
  else if (expected === -2) wrong.setExpectedAny(new sharedPb.Empty())
  else wrong.setExpectedStreamExists(new sharedPb.Empty())
  return answer.setWrongExpectedVersion(wrong)
}

export function batchAnswer(
  outcome: Outcome | { kind: 'refused'; status: Status },
  stream: string,
  correlation: UUID | undefined,
): BatchAppendResp {
  const answer = new streamsPb.BatchAppendResp()
  answer.setCorrelationId(correlation)
  answer.setStreamIdentifier(streamIdentifier(stream))
  if (outcome.kind === 'refused') return answer.setError(outcome.status)
  if (outcome.kind === 'success') {
    const success = new streamsPb.BatchAppendResp.Success()
    success.setCurrentRevision(`${outcome.last}`)
    const position = new sharedPb.AllStreamPosition()
    position.setCommitPosition(`${outcome.commit}`)
    position.setPreparePosition(`${outcome.commit}`)
    return answer.setSuccess(success.setPosition(position))
  }
  if (outcome.kind === 'deleted') {
    return answer.setError(statusOf('StreamDeleted', new sharedPb.StreamDeleted()))
  }
  const wrong = new sharedPb.WrongExpectedVersion()
  if (outcome.current >= 0) wrong.setCurrentStreamRevision(`${outcome.current}`)
  return answer.setError(statusOf('WrongExpectedVersion', wrong))
}

/** The error of a batch: a detail message by name. */
export function statusOf(name: string, detail: { serializeBinary(): Uint8Array }): Status {
  const any = new anyPb.Any()
  any.pack(detail.serializeBinary(), `event_store.client.${name}`)
  return new statusPb.Status().setMessage(name).setDetails(any)
}

export function eventAnswer(record: DoubleRecord, structuredIds: boolean): ReadResp {
  const event = new streamsPb.ReadResp.ReadEvent.RecordedEvent()
  event.setId(structuredIds ? structuredId(record.id) : new sharedPb.UUID().setString(record.id))
  event.setStreamIdentifier(streamIdentifier(record.stream))
  event.setStreamRevision(`${record.revision}`)
  event.setCommitPosition(`${record.commit}`)
  event.setPreparePosition(`${record.commit}`)
  const metadata = event.getMetadataMap()
  metadata.set('type', record.type)
  metadata.set('created', `${BigInt(record.created) * TICKS}`)
  metadata.set('content-type', record.json ? 'application/json' : 'application/octet-stream')
  event.setCustomMetadata(record.metadata)
  event.setData(record.data)
  const read = new streamsPb.ReadResp.ReadEvent()
  read.setEvent(event)
  read.setCommitPosition(`${record.commit}`)
  return new streamsPb.ReadResp().setEvent(read)
}

export function notFoundAnswer(stream: string): ReadResp {
  const missing = new streamsPb.ReadResp.StreamNotFound()
  return new streamsPb.ReadResp().setStreamNotFound(
    missing.setStreamIdentifier(streamIdentifier(stream)),
  )
}

export function confirmationAnswer(id: string): ReadResp {
  const confirmation = new streamsPb.ReadResp.SubscriptionConfirmation()
  return new streamsPb.ReadResp().setConfirmation(confirmation.setSubscriptionId(id))
}

export function caughtUpAnswer(): ReadResp {
  return new streamsPb.ReadResp().setCaughtUp(new streamsPb.ReadResp.CaughtUp())
}

export function checkpointAnswer(commit: number): ReadResp {
  const checkpoint = new streamsPb.ReadResp.Checkpoint()
  checkpoint.setCommitPosition(`${commit}`).setPreparePosition(`${commit}`)
  return new streamsPb.ReadResp().setCheckpoint(checkpoint)
}

export function idOf(uuid: UUID | undefined): string {
  const structured = uuid?.getStructured()
  if (structured === undefined) return uuid?.getString().toLowerCase() ?? ''
  const bytes = Buffer.alloc(16)
  bytes.writeBigInt64BE(BigInt(structured.getMostSignificantBits()), 0)
  bytes.writeBigInt64BE(BigInt(structured.getLeastSignificantBits()), 8)
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

function structuredId(id: string): UUID {
  const bytes = Buffer.from(id.replaceAll('-', ''), 'hex')
  const structured = new sharedPb.UUID.Structured()
  structured.setMostSignificantBits(`${bytes.readBigInt64BE(0)}`)
  structured.setLeastSignificantBits(`${bytes.readBigInt64BE(8)}`)
  return new sharedPb.UUID().setStructured(structured)
}

function streamIdentifier(stream: string) {
  return new sharedPb.StreamIdentifier().setStreamName(new Uint8Array(Buffer.from(stream)))
}
