import { Buffer } from 'node:buffer'
import { setTimeout as sleep } from 'node:timers/promises'
import { GossipService } from '@eventstore/db-client/generated/gossip_grpc_pb.js'
import gossipPb from '@eventstore/db-client/generated/gossip_pb.js'
import { ServerFeaturesService } from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js'
import featuresPb from '@eventstore/db-client/generated/serverfeatures_pb.js'
import sharedPb from '@eventstore/db-client/generated/shared_pb.js'
import { StreamsService } from '@eventstore/db-client/generated/streams_grpc_pb.js'
import grpc from '@grpc/grpc-js'
import { DoubleLog } from './double-log.ts'
import { finiteRead, type ReadCall, subscription } from './double-reads.ts'
import { refusals } from './double-answers.ts'
import { appendHandlers } from './double-writes.ts'

export interface DoubleOptions {
  /** A free one unless given. */
  port?: number
  /** Where the log is kept; memory unless given. */
  file?: string
  /** A log to go on with, instead of a file: a restart with or without its memory. */
  log?: DoubleLog
  /** Certificate and key as PEM; without them the server speaks plain HTTP/2. */
  tls?: { certificate: string; key: string }
  /** Passwords by user; without them nobody is asked. */
  users?: Record<string, string>
  /** Where the leader is, when this node is not: calls that require the leader are sent there. */
  leader?: { host: string; port: number }
}

/** What the double does wrong, changed at any time. Counts go down with each append they hit. */
export class DoubleFaults {
  /** Before each answer, in ms. */
  delayMs = 0
  /** Appends answered "not ready", nothing written. */
  refuseAppends = 0
  /** Appends written and never answered. */
  swallowAnswers = 0
  /** Appends written and answered with a timeout. */
  timeOutAfterWriting = 0
  /** Appends that repeat one are not known again: the answer is that somebody else wrote. */
  forgetIds = false
  /** Every call is accepted and none answered. */
  mute = false
  /** Subscriptions stay open and carry nothing more. */
  deafSubscriptions = false
}

/**
 * A gRPC server on loopback, made of the client's own service definitions, with the semantics of EventStoreDB as
 * we read them in its source: a double for tests of the adapter, and no evidence about a real server.
 */
export class EsdbDouble {
  readonly port: number
  readonly log: DoubleLog
  readonly faults: DoubleFaults
  readonly url: string
  /** Subscriptions under way. */
  subscriptions = 0
  #server: grpc.Server

  constructor(
    server: grpc.Server,
    port: number,
    log: DoubleLog,
    faults: DoubleFaults,
    tls: boolean,
  ) {
    this.#server = server
    this.port = port
    this.log = log
    this.faults = faults
    this.url = `esdb://127.0.0.1:${port}?tls=${tls}`
  }

  /** Cuts every connection and stops listening; the log stays as it is. */
  async stop(): Promise<void> {
    this.#server.forceShutdown()
    this.log.close()
    await sleep(0)
  }
}

export async function startDouble(options: DoubleOptions = {}): Promise<EsdbDouble> {
  const log = options.log ?? new DoubleLog(options.file)
  const faults = new DoubleFaults()
  const server = new grpc.Server({ 'grpc.max_concurrent_streams': 100 })
  const admit = admission(options)
  let double: EsdbDouble | null = null

  const read = async (call: ReadCall): Promise<void> => {
    admit(call.metadata)
    const request = call.request.getOptions()
    if (request?.getUuidOption() === undefined) throw refusals.accessDenied()
    if (faults.mute) return new Promise(() => undefined)
    if (faults.delayMs > 0) await sleep(faults.delayMs)
    if (!request.hasSubscription()) return finiteRead(log, request, call)
    if (double !== null) double.subscriptions += 1
    try {
      await subscription(log, request, call, () => faults.deafSubscriptions)
    } finally {
      if (double !== null) double.subscriptions -= 1
    }
  }
  server.addService(StreamsService, {
    read: (call: ReadCall) => {
      read(call).then(
        () => call.end(),
        (error: unknown) => void call.emit('error', error),
      )
    },
    ...appendHandlers(log, faults, admit),
  })
  server.addService(ServerFeaturesService, { getSupportedMethods: supportedMethods })
  const port = await bind(server, options)
  server.addService(GossipService, { read: gossip(port, options) })
  double = new EsdbDouble(server, port, log, faults, options.tls !== undefined)
  return double
}

export type Admission = (metadata: grpc.Metadata) => void

function admission(options: DoubleOptions): Admission {
  return (metadata) => {
    const [header] = metadata.get('authorization')
    if (options.users !== undefined) {
      if (header === undefined) throw refusals.accessDenied()
      const text = Buffer.from(`${header}`.replace(/^Basic /, ''), 'base64').toString('utf8')
      const colon = text.indexOf(':')
      if (options.users[text.slice(0, colon)] !== text.slice(colon + 1)) {
        throw refusals.unauthenticated()
      }
    }
    if (options.leader !== undefined && metadata.get('requires-leader')[0] === 'true') {
      throw refusals.leaderElsewhere(options.leader.host, options.leader.port)
    }
  }
}

function bind(server: grpc.Server, options: DoubleOptions): Promise<number> {
  const { tls } = options
  const credentials =
    tls === undefined
      ? grpc.ServerCredentials.createInsecure()
      : grpc.ServerCredentials.createSsl(null, [
          { cert_chain: Buffer.from(tls.certificate), private_key: Buffer.from(tls.key) },
        ])
  return new Promise((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${options.port ?? 0}`, credentials, (error, port) => {
      if (error === null) resolve(port)
      else reject(error)
    })
  })
}

function supportedMethods(
  _call: unknown,
  answer: grpc.sendUnaryData<InstanceType<typeof featuresPb.SupportedMethods>>,
): void {
  const methods = new featuresPb.SupportedMethods().setEventStoreServerVersion('0.0.0-double')
  for (const [name, features] of [
    ['read', ['position', 'events']],
    ['append', []],
    ['delete', []],
    ['tombstone', []],
    ['batchappend', ['deadline_duration']],
  ] as const) {
    const method = new featuresPb.SupportedMethod().setMethodName(name)
    method.setServiceName('event_store.client.streams.streams').setFeaturesList([...features])
    methods.addMethods(method)
  }
  answer(null, methods)
}

function gossip(port: number, options: DoubleOptions) {
  return (
    _call: unknown,
    answer: grpc.sendUnaryData<InstanceType<typeof gossipPb.ClusterInfo>>,
  ): void => {
    const { host, port: leaderPort } = options.leader ?? { host: '127.0.0.1', port }
    const member = new gossipPb.MemberInfo()
    member.setInstanceId(new sharedPb.UUID().setString('00000000-0000-4000-8000-000000000001'))
    member.setTimeStamp('0').setIsAlive(true)
    member.setState(gossipPb.MemberInfo.VNodeState.LEADER)
    member.setHttpEndPoint(new gossipPb.EndPoint().setAddress(host).setPort(leaderPort))
    answer(null, new gossipPb.ClusterInfo().setMembersList([member]))
  }
}
