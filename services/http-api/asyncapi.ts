import type { FastifyInstance } from 'fastify'
import {
  CLOCK_HEADER,
  REPORTS_HEADER,
  RUN_HEADER,
  SEQUENCE_HEADER,
} from '../../engine/ports/headers.ts'
import { isBrokerInput } from '../../engine/trading/transitions.ts'
import { EVENT_VERSIONS, type EventType } from '../../schemas/types.gen.ts'
import { bodySchema, eventSchema, referencesTo, type SchemaFile } from './components.ts'

type Schema = Record<string, unknown>

interface Message {
  summary: string
  headers?: Record<string, Schema>
  required?: readonly string[]
  payload: Schema
}

interface Channel {
  address: string
  title: string
  description: string
  parameters: Readonly<Record<string, string>>
  /** receive: the engine takes it; send: the engine publishes it. */
  action: 'receive' | 'send'
  /** JetStream stream that holds it, and how long. */
  stream: { name: string; retention: string }
  message: string
}

const ID = 'Nats-Msg-Id'
const POSITION = 'bitacora-position'
const text = (description: string): Schema => ({ type: 'string', description })
const whole = (description: string): Schema => ({ type: 'string', pattern: '^\\d+$', description })

const SIGNATURE = {
  'webhook-id': text('Standard Webhooks: id of the signal, in the place of Nats-Msg-Id'),
  'webhook-timestamp': whole('Standard Webhooks: seconds since 1970, within 5 minutes of storing'),
  'webhook-signature': text(
    'Standard Webhooks: v1,<base64 of HMAC-SHA256> over `id.timestamp.<subject>\\n<payload>`',
  ),
}

const CHANNELS: Readonly<Record<string, Channel>> = {
  manualSignal: {
    address: 'signals.manual.{operator}',
    title: 'Manual signals',
    description:
      'Anyone permitted asks for a trade. Captured while the engine is down; the same operator and id is acted upon ' +
      'once in seven days. Also POST /signals/manual.',
    parameters: { operator: 'Who asks: 1 to 64 letters, digits, _ and -' },
    action: 'receive',
    stream: { name: 'INBOX', retention: 'until recorded; refuses new ones when full' },
    message: 'manualSignal',
  },
  verdict: {
    address: 'signals.verdict.{operator}',
    title: 'Verdicts',
    description:
      'What became of a signal, or of a control of one order, once it is in the book. Also GET /signals/{id}.',
    parameters: { operator: 'Who asked' },
    action: 'send',
    stream: { name: 'VERDICTS', retention: '7 days' },
    message: 'verdict',
  },
  control: {
    address: 'control.{action}',
    title: 'Controls',
    description:
      'Operators halt and resume trading, cancel and flatten. The same action and id counts once in seven days. Also ' +
      'POST /control/{action}.',
    parameters: {
      action: 'halt, resume, cancel-all, flatten, cancel-order or replace-order',
    },
    action: 'receive',
    stream: { name: 'INBOX', retention: 'until recorded; refuses new ones when full' },
    message: 'control',
  },
  report: {
    address: 'reports.{account}',
    title: 'Broker reports',
    description: 'What the broker said of the orders, by the executor: of a broker in its order.',
    parameters: { account: 'Account of the book' },
    action: 'receive',
    stream: { name: 'REPORTS', retention: 'until recorded; refuses new ones when full' },
    message: 'report',
  },
  bar: {
    address: 'md.bar.{timeframe}.{symbol}',
    title: 'Bars',
    description: 'Market data of a feed. A bar again with other content is a correction.',
    parameters: {
      timeframe: 'Length of a bar: 1m, 5m, 15m, 1h or 1d',
      symbol: 'Ticker; a character that a subject does not take is percent-encoded',
    },
    action: 'receive',
    stream: { name: 'MARKET', retention: '7 days' },
    message: 'bar',
  },
  action: {
    address: 'md.action.{symbol}',
    title: 'Corporate actions',
    description: 'Splits, dividends, delistings and renames, on their day before its bars.',
    parameters: { symbol: 'Ticker' },
    action: 'receive',
    stream: { name: 'MARKET', retention: '7 days' },
    message: 'marketAction',
  },
  tape: {
    address: 'tape.{category}.{rest}',
    title: 'Tape',
    description:
      'Every recorded event, one message each, in the order of the book, after it is in the book. Bars on ' +
      'tape.market.bar.<symbol>, fills on tape.fill.<symbol>, the others on tape.<category>.<type>. Its position tells ' +
      'repeats and gaps. Rebuilt from the book at any time. Also GET /stream.',
    parameters: {
      category: 'market, feature, prediction, signal, risk, order, fill, control, timer or model',
      rest: 'What is left of the type, or the symbol; one token or more',
    },
    action: 'send',
    stream: { name: 'TAPE', retention: '4 GiB, the oldest go first' },
    message: 'tape',
  },
  dead: {
    address: 'dead.{stream}.{subject}',
    title: 'Dead letters',
    description:
      'Inputs that do not parse, validate or verify, as they came, with the reason in their headers. They are in the ' +
      'book as input.refused too.',
    parameters: {
      stream: 'Stream that it came by, lower case',
      subject: 'Subject that it came on',
    },
    action: 'send',
    stream: { name: 'DEAD', retention: '30 days' },
    message: 'dead',
  },
}

/** An envelope around the data of each of these events, told apart by its type. */
function envelopes(types: readonly EventType[], more: Schema, ref: Ref): Schema {
  const one = (type: EventType): Schema => ({
    type: 'object',
    properties: {
      ...more,
      type: { const: type },
      version: { const: EVENT_VERSIONS[type] },
      data: ref(eventSchema(type)),
    },
    required: [...Object.keys(more), 'type', 'version', 'data'],
  })
  return { oneOf: types.map(one) }
}

type Ref = (schema: SchemaFile) => Schema

function messages(ref: Ref): Record<string, Message> {
  const types = Object.keys(EVENT_VERSIONS) as EventType[]
  const ms = (description: string): Schema => ({ type: 'integer', description })
  const signal = bodySchema('signal-body')
  const part = (name: string): Schema => ({ $ref: `${signal.$id}#/properties/${name}` })
  const verdict = ['signalId', 'verdict', 'orderIds', 'code', 'rule', 'observed', 'limit']
  return {
    manualSignal: {
      summary: 'What is wanted',
      headers: { [ID]: text('Id of the signal; without one a hash names it'), ...SIGNATURE },
      payload: ref(bodySchema('manual-signal')),
    },
    verdict: {
      summary: 'The verdict',
      headers: { [POSITION]: whole('Position of the verdict in the book') },
      required: [POSITION],
      payload: {
        type: 'object',
        properties: Object.fromEntries(verdict.map((name) => [name, part(name)])),
        required: verdict,
        additionalProperties: false,
      },
    },
    control: {
      summary: 'Who orders it, and why',
      headers: { [ID]: text('Id of the control; without one a hash names it') },
      payload: ref(bodySchema('control-command')),
    },
    report: {
      summary: 'What became of an order, or a charge of the account',
      headers: {
        [SEQUENCE_HEADER]: whole("The broker's number of the report"),
        [CLOCK_HEADER]: whole("The simulated broker's clock, ms since 1970"),
        [RUN_HEADER]: text('Start of the engine whose executor found it out'),
      },
      payload: envelopes(types.filter(isBrokerInput), {}, ref),
    },
    bar: {
      summary: 'One bar',
      headers: { [REPORTS_HEADER]: whole('Report of the broker that must be in the book before') },
      payload: ref(eventSchema('market.bar')),
    },
    marketAction: {
      summary: 'One corporate action',
      headers: { [REPORTS_HEADER]: whole('Report of the broker that must be in the book before') },
      payload: ref(eventSchema('market.action')),
    },
    tape: {
      summary: 'One event',
      headers: { [POSITION]: whole('Its position in the book') },
      required: [POSITION],
      payload: envelopes(
        types,
        {
          id: text('Id of the event'),
          position: { type: 'integer', minimum: 0, description: 'Its position in the book' },
          at: ms('Engine time, ms since 1970'),
          recordedAt: ms('Wall clock when it was recorded, ms since 1970'),
          step: {
            type: 'integer',
            minimum: 0,
            description: 'Position of the input it follows from',
          },
          because: {
            anyOf: [{ type: 'integer', minimum: 0 }, { type: 'null' }],
            description: 'Position of the event that caused it; null for what starts a step',
          },
        },
        ref,
      ),
    },
    dead: {
      summary: 'The message as it came; cut at 768 KiB',
      headers: {
        'reason-code': text('Stable code'),
        reason: text('What is wrong, and the remedy'),
        'original-sequence': whole('Its sequence in the stream that it came by'),
        'original-subject': text('Its subject, where that does not fit behind dead.'),
        'original-bytes': whole('Its length, where it was cut'),
      },
      required: ['reason-code', 'reason', 'original-sequence'],
      payload: {},
    },
  }
}

/** The AsyncAPI document of the subjects on NATS, from the schemas that the messages are validated with. */
export function asyncApi(version: string): object {
  const found = messages((schema) => ({ $ref: schema.$id }))
  const { nodes, schemas } = referencesTo(found as never)
  const channels: Record<string, object> = {}
  const operations: Record<string, object> = {}
  for (const [name, channel] of Object.entries(CHANNELS)) {
    const { address, title, description, parameters, action, stream, message } = channel
    channels[name] = {
      address,
      title,
      description,
      servers: [{ $ref: '#/servers/nats' }],
      parameters: Object.fromEntries(
        Object.entries(parameters).map(([key, about]) => [key, { description: about }]),
      ),
      messages: { [message]: { $ref: `#/components/messages/${message}` } },
      'x-nats-stream': stream,
    }
    operations[`${action}-${name}`] = {
      action,
      channel: { $ref: `#/channels/${name}` },
      summary: title,
      messages: [{ $ref: `#/channels/${name}/messages/${message}` }],
    }
  }
  const described = Object.entries(nodes as unknown as Record<string, Message>).map(
    ([name, { summary, headers, required, payload }]) => [
      name,
      {
        name,
        summary,
        contentType: 'application/json',
        ...(headers !== undefined && {
          headers: { type: 'object', properties: headers, ...(required && { required }) },
        }),
        payload,
      },
    ],
  )
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Bitácora',
      version,
      description:
        'The subjects of a trading account on NATS JetStream: what the engine takes in, and what it tells. Inputs are ' +
        'acknowledged once they are in the book. Amounts are decimal strings, times are RFC 3339 in UTC.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      nats: {
        host: '127.0.0.1:4222',
        protocol: 'nats',
        description: "NATS_URL, or the engine's own server: engine.json in its folder names it",
      },
    },
    channels,
    operations,
    components: { messages: Object.fromEntries(described), schemas },
  }
}

/** Adds the AsyncAPI document. */
export function asyncApiRoute(app: FastifyInstance, version: string): void {
  let body: string | null = null
  app.get(
    '/asyncapi.json',
    { schema: { hide: true }, config: { scope: null } },
    async (_request, reply) => {
      body ??= JSON.stringify(asyncApi(version))
      return reply
        .type('application/json; charset=utf-8')
        .header('cache-control', 'no-cache')
        .send(body)
    },
  )
}
