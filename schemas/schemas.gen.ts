// Generated from schemas/**/*.json by scripts/gen-types.ts; edit those and run: npm run gen

/** Scalars that the others refer to. */
export const COMMON_SCHEMA: object = {
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "$id": "https://bitacora.dev/schemas/common.json",
  "title": "Common",
  "description": "Scalars that all schemas share",
  "$defs": {
    "Decimal": {
      "type": "string",
      "pattern": "^-?\\d{1,30}(\\.\\d{1,18})?$",
      "description": "Exact decimal number, such as \"12.50\""
    },
    "PositiveDecimal": {
      "type": "string",
      "pattern": "^(?=.*[1-9])\\d{1,30}(\\.\\d{1,18})?$",
      "description": "Exact decimal number above zero"
    },
    "Quantity": {
      "type": "string",
      "pattern": "^(all|(?=.*[1-9])\\d{1,15}(\\.\\d{1,9})?)$",
      "description": "Shares, above zero, at most nine decimals; or \"all\": every whole share the cash buys at the fill price"
    },
    "Symbol": {
      "type": "string",
      "pattern": "^[A-Z0-9][A-Z0-9/-]{0,23}(\\.[A-Z0-9]{1,4})?$",
      "description": "Ticker, upper case"
    },
    "Side": {
      "enum": [
        "buy",
        "sell"
      ],
      "description": "Side of an order"
    },
    "Timestamp": {
      "type": "string",
      "pattern": "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{3})?Z$",
      "description": "RFC 3339, UTC"
    },
    "Timeframe": {
      "enum": [
        "1m",
        "5m",
        "15m",
        "1h",
        "1d"
      ],
      "description": "Length of a bar"
    }
  }
}

/** Event schemas by "type@version". */
export const EVENT_SCHEMAS: Readonly<Record<string, object>> = {
  'account.charged@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/account/account-charged.v1.json",
    "title": "AccountCharged",
    "description": "The account paid, or received, money without an order",
    "type": "object",
    "properties": {
      "symbol": {
        "$ref": "../common.json#/$defs/Symbol",
        "description": "Symbol it was paid for, where there is one"
      },
      "brokerSequence": {
        "type": "integer",
        "description": "Sequence of the report at the broker, from 1",
        "minimum": 1
      },
      "occurredAt": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "The broker's clock"
      },
      "amount": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Money paid; negative: received"
      },
      "code": {
        "type": "string",
        "description": "Stable code, such as borrow_fee"
      },
      "reason": {
        "type": "string",
        "description": "What for"
      }
    },
    "required": [
      "brokerSequence",
      "occurredAt",
      "amount",
      "code",
      "reason"
    ],
    "additionalProperties": false
  },
  'book.created@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/book/book-created.v1.json",
    "title": "BookCreated",
    "description": "Genesis: the first entry of a book; mints its identity",
    "type": "object",
    "properties": {
      "bookId": {
        "type": "string",
        "description": "Random id of the book",
        "pattern": "^b[0-9a-f]{16}$"
      },
      "account": {
        "type": "string",
        "description": "Name of the account",
        "pattern": "^[a-z0-9-]{1,32}$"
      },
      "currency": {
        "const": "USD",
        "description": "Currency of all amounts"
      },
      "cash": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Cash the book opens with"
      }
    },
    "required": [
      "bookId",
      "account",
      "currency",
      "cash"
    ],
    "additionalProperties": false
  },
  'engine.started@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/book/engine-started.v1.json",
    "title": "EngineStarted",
    "description": "A writer took over the book: its code, versions and settings",
    "type": "object",
    "properties": {
      "run": {
        "type": "string",
        "description": "Random id of this writer's run",
        "pattern": "^[0-9a-f]{16}$"
      },
      "codeHash": {
        "type": "string",
        "description": "sha256 over the sources of engine and schemas",
        "pattern": "^[0-9a-f]{64}$"
      },
      "engineVersion": {
        "type": "string",
        "description": "Version of the package"
      },
      "nodeVersion": {
        "type": "string",
        "description": "Version of Node"
      },
      "settings": {
        "$ref": "../config/chain-settings.v1.json"
      }
    },
    "required": [
      "run",
      "codeHash",
      "engineVersion",
      "nodeVersion",
      "settings"
    ],
    "additionalProperties": false
  },
  'control.received@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/control/control-received.v1.json",
    "title": "ControlReceived",
    "description": "An operator used a control",
    "type": "object",
    "properties": {
      "action": {
        "enum": [
          "halt",
          "resume",
          "cancel-all",
          "flatten",
          "cancel-order",
          "replace-order"
        ],
        "description": "What is asked"
      },
      "actor": {
        "type": "string",
        "description": "Who: letters, digits, _ and -, at most 64",
        "pattern": "^[A-Za-z0-9_-]{1,64}$"
      },
      "reason": {
        "type": "string",
        "description": "Why",
        "minLength": 1,
        "maxLength": 1000
      },
      "controlId": {
        "type": "string",
        "description": "Id of the message"
      },
      "storedAt": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "When NATS stored it"
      },
      "orderId": {
        "type": "integer",
        "minimum": 1,
        "description": "cancel-order, replace-order: number of the order"
      },
      "qty": {
        "type": "string",
        "pattern": "^(?=.*[1-9])\\d{1,15}(\\.\\d{1,9})?$",
        "description": "replace-order: whole quantity, what is filled included"
      },
      "limitPrice": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "replace-order: limit price"
      },
      "stopPrice": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "replace-order: stop price"
      },
      "trailAmount": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "replace-order: distance of a trailing stop, money"
      },
      "trailPercent": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "replace-order: distance of a trailing stop, percent"
      },
      "timeInForce": {
        "enum": [
          "day",
          "gtc",
          "ioc",
          "fok",
          "opg",
          "cls"
        ],
        "description": "replace-order: how long it stands"
      }
    },
    "required": [
      "action",
      "actor",
      "reason",
      "controlId",
      "storedAt"
    ],
    "additionalProperties": false
  },
  'feature.computed@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/feature/feature-computed.v1.json",
    "title": "FeatureComputed",
    "description": "The feature values that a decision used",
    "type": "object",
    "properties": {
      "strategy": {
        "type": "string",
        "description": "Strategy that decided"
      },
      "symbol": {
        "$ref": "../common.json#/$defs/Symbol",
        "description": "Ticker"
      },
      "barTime": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "Start of the bar"
      },
      "values": {
        "type": "object",
        "description": "Name to value",
        "additionalProperties": {
          "type": "number"
        }
      }
    },
    "required": [
      "strategy",
      "symbol",
      "barTime",
      "values"
    ],
    "additionalProperties": false
  },
  'market.action@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/market/market-action.v1.json",
    "title": "MarketAction",
    "description": "A corporate action takes effect",
    "type": "object",
    "properties": {
      "feed": {
        "type": "string",
        "description": "Name of the feed",
        "minLength": 1,
        "maxLength": 64
      },
      "symbol": {
        "$ref": "../common.json#/$defs/Symbol",
        "description": "Ticker"
      },
      "kind": {
        "enum": [
          "split",
          "dividend",
          "delist",
          "rename"
        ],
        "description": "What happens"
      },
      "value": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "split: new shares for one old (2, 0.25); dividend: money per share; delist: price paid per share, the last close when left out"
      },
      "newSymbol": {
        "$ref": "../common.json#/$defs/Symbol",
        "description": "rename: the symbol from now on"
      },
      "exDate": {
        "type": "string",
        "pattern": "^\\d{4}-\\d{2}-\\d{2}$",
        "description": "First day that trades without it"
      },
      "time": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "Moment at which it takes effect: before the first bar of that day"
      }
    },
    "required": [
      "feed",
      "symbol",
      "kind",
      "exDate",
      "time"
    ],
    "additionalProperties": false
  },
  'market.bar@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/market/market-bar.v1.json",
    "title": "MarketBar",
    "description": "A finished bar",
    "type": "object",
    "properties": {
      "feed": {
        "type": "string",
        "description": "Name of the feed",
        "minLength": 1,
        "maxLength": 64
      },
      "symbol": {
        "$ref": "../common.json#/$defs/Symbol",
        "description": "Ticker"
      },
      "timeframe": {
        "$ref": "../common.json#/$defs/Timeframe"
      },
      "time": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "Start of the bar"
      },
      "open": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "First price"
      },
      "high": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Highest price"
      },
      "low": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Lowest price"
      },
      "close": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Last price"
      },
      "volume": {
        "anyOf": [
          {
            "$ref": "../common.json#/$defs/Decimal"
          },
          {
            "type": "null"
          }
        ],
        "description": "Shares traded; null: unknown"
      },
      "revision": {
        "type": "integer",
        "description": "0 for the first version, 1, 2, … for corrections",
        "minimum": 0
      }
    },
    "required": [
      "feed",
      "symbol",
      "timeframe",
      "time",
      "open",
      "high",
      "low",
      "close",
      "volume",
      "revision"
    ],
    "additionalProperties": false
  },
  'order.accepted@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/order/order-accepted.v1.json",
    "title": "OrderAccepted",
    "description": "The broker holds the order",
    "type": "object",
    "properties": {
      "orderId": {
        "type": "integer",
        "description": "Number of the order in its account, 1, 2, …",
        "minimum": 1
      },
      "clientOrderId": {
        "type": "string",
        "description": "Id the broker knows the order by: book id and order number",
        "minLength": 1,
        "maxLength": 128
      },
      "symbol": {
        "$ref": "../common.json#/$defs/Symbol",
        "description": "Ticker"
      },
      "brokerSequence": {
        "type": "integer",
        "description": "Sequence of the report at the broker, from 1",
        "minimum": 1
      },
      "occurredAt": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "The broker's clock"
      }
    },
    "required": [
      "orderId",
      "clientOrderId",
      "symbol",
      "brokerSequence",
      "occurredAt"
    ],
    "additionalProperties": false
  },
  'order.adjusted@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/order/order-adjusted.v1.json",
    "title": "OrderAdjusted",
    "description": "Quantity or prices of a working order changed otherwise than by request: a sibling that filled in part, a split",
    "type": "object",
    "properties": {
      "orderId": {
        "type": "integer",
        "description": "Number of the order in its account, 1, 2, …",
        "minimum": 1
      },
      "clientOrderId": {
        "type": "string",
        "description": "Id the broker knows the order by: book id and order number",
        "minLength": 1,
        "maxLength": 128
      },
      "symbol": {
        "$ref": "../common.json#/$defs/Symbol",
        "description": "Ticker"
      },
      "brokerSequence": {
        "type": "integer",
        "description": "Sequence of the report at the broker, from 1",
        "minimum": 1
      },
      "occurredAt": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "The broker's clock"
      },
      "qty": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Whole quantity from now on, what is filled included"
      },
      "limitPrice": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Limit price from now on"
      },
      "stopPrice": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Stop price from now on"
      },
      "code": {
        "type": "string",
        "description": "Stable code"
      },
      "reason": {
        "type": "string",
        "description": "Why"
      }
    },
    "required": [
      "orderId",
      "clientOrderId",
      "symbol",
      "brokerSequence",
      "occurredAt",
      "code",
      "reason"
    ],
    "additionalProperties": false
  },
  'order.anomaly@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/order/order-anomaly.v1.json",
    "title": "OrderAnomaly",
    "description": "A report that the order could not take from its state; it changed nothing, or only what is said here",
    "type": "object",
    "properties": {
      "orderId": {
        "type": "integer",
        "description": "Order it names",
        "minimum": 0
      },
      "status": {
        "type": "string",
        "description": "Status of the order, or unknown_order"
      },
      "event": {
        "type": "string",
        "description": "Type of the report"
      },
      "code": {
        "type": "string",
        "description": "Stable code"
      }
    },
    "required": [
      "orderId",
      "status",
      "event",
      "code"
    ],
    "additionalProperties": false
  },
  'order.cancel_rejected@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/order/order-cancel-rejected.v1.json",
    "title": "OrderCancelRejected",
    "description": "The broker refused to cancel the order: it goes on as it was",
    "type": "object",
    "properties": {
      "orderId": {
        "type": "integer",
        "description": "Number of the order in its account, 1, 2, …",
        "minimum": 1
      },
      "clientOrderId": {
        "type": "string",
        "description": "Id the broker knows the order by: book id and order number",
        "minLength": 1,
        "maxLength": 128
      },
      "symbol": {
        "$ref": "../common.json#/$defs/Symbol",
        "description": "Ticker"
      },
      "brokerSequence": {
        "type": "integer",
        "description": "Sequence of the report at the broker, from 1",
        "minimum": 1
      },
      "occurredAt": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "The broker's clock"
      },
      "code": {
        "type": "string",
        "description": "Stable code"
      },
      "reason": {
        "type": "string",
        "description": "Why"
      }
    },
    "required": [
      "orderId",
      "clientOrderId",
      "symbol",
      "brokerSequence",
      "occurredAt",
      "code",
      "reason"
    ],
    "additionalProperties": false
  },
  'order.cancel_requested@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/order/order-cancel-requested.v1.json",
    "title": "OrderCancelRequested",
    "description": "The intent to cancel an order",
    "type": "object",
    "properties": {
      "orderId": {
        "type": "integer",
        "description": "Number of the order in its account, 1, 2, …",
        "minimum": 1
      },
      "actor": {
        "type": "string",
        "description": "Who asked"
      },
      "reason": {
        "type": "string",
        "description": "Why"
      }
    },
    "required": [
      "orderId",
      "actor",
      "reason"
    ],
    "additionalProperties": false
  },
  'order.canceled@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/order/order-canceled.v1.json",
    "title": "OrderCanceled",
    "description": "The order was cancelled",
    "type": "object",
    "properties": {
      "orderId": {
        "type": "integer",
        "description": "Number of the order in its account, 1, 2, …",
        "minimum": 1
      },
      "clientOrderId": {
        "type": "string",
        "description": "Id the broker knows the order by: book id and order number",
        "minLength": 1,
        "maxLength": 128
      },
      "symbol": {
        "$ref": "../common.json#/$defs/Symbol",
        "description": "Ticker"
      },
      "brokerSequence": {
        "type": "integer",
        "description": "Sequence of the report at the broker, from 1",
        "minimum": 1
      },
      "occurredAt": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "The broker's clock"
      },
      "code": {
        "type": "string",
        "description": "Stable code"
      },
      "reason": {
        "type": "string",
        "description": "Why"
      }
    },
    "required": [
      "orderId",
      "clientOrderId",
      "symbol",
      "brokerSequence",
      "occurredAt",
      "code",
      "reason"
    ],
    "additionalProperties": false
  },
  'order.expired@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/order/order-expired.v1.json",
    "title": "OrderExpired",
    "description": "The order expired",
    "type": "object",
    "properties": {
      "orderId": {
        "type": "integer",
        "description": "Number of the order in its account, 1, 2, …",
        "minimum": 1
      },
      "clientOrderId": {
        "type": "string",
        "description": "Id the broker knows the order by: book id and order number",
        "minLength": 1,
        "maxLength": 128
      },
      "symbol": {
        "$ref": "../common.json#/$defs/Symbol",
        "description": "Ticker"
      },
      "brokerSequence": {
        "type": "integer",
        "description": "Sequence of the report at the broker, from 1",
        "minimum": 1
      },
      "occurredAt": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "The broker's clock"
      },
      "code": {
        "type": "string",
        "description": "Stable code"
      },
      "reason": {
        "type": "string",
        "description": "Why"
      }
    },
    "required": [
      "orderId",
      "clientOrderId",
      "symbol",
      "brokerSequence",
      "occurredAt",
      "code",
      "reason"
    ],
    "additionalProperties": false
  },
  'order.filled@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/order/order-filled.v1.json",
    "title": "OrderFilled",
    "description": "The order traded, wholly or in part",
    "type": "object",
    "properties": {
      "orderId": {
        "type": "integer",
        "description": "Number of the order in its account, 1, 2, …",
        "minimum": 1
      },
      "clientOrderId": {
        "type": "string",
        "description": "Id the broker knows the order by: book id and order number",
        "minLength": 1,
        "maxLength": 128
      },
      "symbol": {
        "$ref": "../common.json#/$defs/Symbol",
        "description": "Ticker"
      },
      "brokerSequence": {
        "type": "integer",
        "description": "Sequence of the report at the broker, from 1",
        "minimum": 1
      },
      "occurredAt": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "The broker's clock"
      },
      "side": {
        "$ref": "../common.json#/$defs/Side",
        "description": "Side of the order"
      },
      "qty": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Shares traded"
      },
      "price": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Price per share"
      },
      "fee": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Fee charged"
      },
      "complete": {
        "type": "boolean",
        "description": "Whether nothing of the order is left"
      }
    },
    "required": [
      "orderId",
      "clientOrderId",
      "symbol",
      "brokerSequence",
      "occurredAt",
      "side",
      "qty",
      "price",
      "fee",
      "complete"
    ],
    "additionalProperties": false
  },
  'order.held@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/order/order-held.v1.json",
    "title": "OrderHeld",
    "description": "The broker holds a leg back until its entry has filled",
    "type": "object",
    "properties": {
      "orderId": {
        "type": "integer",
        "description": "Number of the order in its account, 1, 2, …",
        "minimum": 1
      },
      "clientOrderId": {
        "type": "string",
        "description": "Id the broker knows the order by: book id and order number",
        "minLength": 1,
        "maxLength": 128
      },
      "symbol": {
        "$ref": "../common.json#/$defs/Symbol",
        "description": "Ticker"
      },
      "brokerSequence": {
        "type": "integer",
        "description": "Sequence of the report at the broker, from 1",
        "minimum": 1
      },
      "occurredAt": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "The broker's clock"
      }
    },
    "required": [
      "orderId",
      "clientOrderId",
      "symbol",
      "brokerSequence",
      "occurredAt"
    ],
    "additionalProperties": false
  },
  'order.intended@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/order/order-intended.v1.json",
    "title": "OrderIntended",
    "description": "The intent to place an order; nothing is sent that is not recorded so",
    "type": "object",
    "properties": {
      "orderId": {
        "type": "integer",
        "description": "Number of the order in its account, 1, 2, …",
        "minimum": 1
      },
      "signalId": {
        "type": "string",
        "description": "Signal it follows from"
      },
      "symbol": {
        "$ref": "../common.json#/$defs/Symbol",
        "description": "Ticker"
      },
      "side": {
        "$ref": "../common.json#/$defs/Side",
        "description": "Side of the order"
      },
      "type": {
        "enum": [
          "market",
          "limit",
          "stop",
          "stop_limit",
          "trailing_stop",
          "close"
        ],
        "description": "Order type"
      },
      "qty": {
        "type": "string",
        "pattern": "^(all|notional|(?=.*[1-9])\\d{1,15}(\\.\\d{1,9})?)$",
        "description": "Shares; \"all\": every whole share the cash buys at the fill price; \"notional\": as many as the notional pays"
      },
      "limitPrice": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Limit price"
      },
      "stopPrice": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Stop price"
      },
      "trailAmount": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Distance of a trailing stop, money per share"
      },
      "trailPercent": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Distance of a trailing stop, percent of the best price"
      },
      "notional": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Money to spend or raise, fees apart; with a qty of \"notional\""
      },
      "timeInForce": {
        "enum": [
          "day",
          "gtc",
          "ioc",
          "fok",
          "opg",
          "cls"
        ],
        "description": "How long it stands"
      },
      "notAfter": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "Engine time after which it must not be sent any more"
      },
      "expiresAt": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "Moment at which the broker lets it expire"
      },
      "extendedHours": {
        "type": "boolean",
        "description": "May trade before and after the core session"
      },
      "orderClass": {
        "enum": [
          "bracket",
          "oco",
          "oto"
        ],
        "description": "How it and its legs belong together"
      },
      "legs": {
        "type": "array",
        "items": {
          "type": "integer",
          "minimum": 1
        },
        "description": "Numbers of its legs, whose intents follow in the same step; they reach the broker with it"
      },
      "parentId": {
        "type": "integer",
        "minimum": 1,
        "description": "Order whose leg it is"
      },
      "role": {
        "enum": [
          "take_profit",
          "stop_loss"
        ],
        "description": "What it is as a leg"
      },
      "replaces": {
        "type": "integer",
        "minimum": 1,
        "description": "Order that it takes the place of: the broker is asked to replace that one"
      }
    },
    "required": [
      "orderId",
      "signalId",
      "symbol",
      "side",
      "type",
      "qty",
      "timeInForce",
      "notAfter"
    ],
    "additionalProperties": false
  },
  'order.outcome_unknown@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/order/order-outcome-unknown.v1.json",
    "title": "OrderOutcomeUnknown",
    "description": "Nobody knows whether the order landed; it is being looked up",
    "type": "object",
    "properties": {
      "orderId": {
        "type": "integer",
        "description": "Number of the order in its account, 1, 2, …",
        "minimum": 1
      },
      "clientOrderId": {
        "type": "string",
        "description": "Id the broker knows the order by: book id and order number",
        "minLength": 1,
        "maxLength": 128
      },
      "attempt": {
        "type": "integer",
        "description": "How many times it was tried",
        "minimum": 1
      },
      "reason": {
        "type": "string",
        "description": "What went wrong"
      }
    },
    "required": [
      "orderId",
      "clientOrderId",
      "attempt",
      "reason"
    ],
    "additionalProperties": false
  },
  'order.rejected@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/order/order-rejected.v1.json",
    "title": "OrderRejected",
    "description": "The broker refused the order",
    "type": "object",
    "properties": {
      "orderId": {
        "type": "integer",
        "description": "Number of the order in its account, 1, 2, …",
        "minimum": 1
      },
      "clientOrderId": {
        "type": "string",
        "description": "Id the broker knows the order by: book id and order number",
        "minLength": 1,
        "maxLength": 128
      },
      "symbol": {
        "$ref": "../common.json#/$defs/Symbol",
        "description": "Ticker"
      },
      "brokerSequence": {
        "type": "integer",
        "description": "Sequence of the report at the broker, from 1",
        "minimum": 1
      },
      "occurredAt": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "The broker's clock"
      },
      "code": {
        "type": "string",
        "description": "Stable code"
      },
      "reason": {
        "type": "string",
        "description": "Why"
      }
    },
    "required": [
      "orderId",
      "clientOrderId",
      "symbol",
      "brokerSequence",
      "occurredAt",
      "code",
      "reason"
    ],
    "additionalProperties": false
  },
  'order.replace_rejected@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/order/order-replace-rejected.v1.json",
    "title": "OrderReplaceRejected",
    "description": "The broker refused to replace the order: it goes on as it was, and the replacement never stood",
    "type": "object",
    "properties": {
      "orderId": {
        "type": "integer",
        "description": "Number of the order in its account, 1, 2, …",
        "minimum": 1
      },
      "clientOrderId": {
        "type": "string",
        "description": "Id the broker knows the order by: book id and order number",
        "minLength": 1,
        "maxLength": 128
      },
      "symbol": {
        "$ref": "../common.json#/$defs/Symbol",
        "description": "Ticker"
      },
      "brokerSequence": {
        "type": "integer",
        "description": "Sequence of the report at the broker, from 1",
        "minimum": 1
      },
      "occurredAt": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "The broker's clock"
      },
      "replacedBy": {
        "type": "integer",
        "minimum": 1,
        "description": "Number of the order that would have replaced it"
      },
      "code": {
        "type": "string",
        "description": "Stable code"
      },
      "reason": {
        "type": "string",
        "description": "Why"
      }
    },
    "required": [
      "orderId",
      "clientOrderId",
      "symbol",
      "brokerSequence",
      "occurredAt",
      "replacedBy",
      "code",
      "reason"
    ],
    "additionalProperties": false
  },
  'order.replace_requested@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/order/order-replace-requested.v1.json",
    "title": "OrderReplaceRequested",
    "description": "The intent to replace an order; the intent of the replacement follows",
    "type": "object",
    "properties": {
      "orderId": {
        "type": "integer",
        "description": "Number of the order in its account, 1, 2, …",
        "minimum": 1
      },
      "replacedBy": {
        "type": "integer",
        "minimum": 1,
        "description": "Number of the order that shall take its place"
      },
      "signalId": {
        "type": "string",
        "description": "Control that asked for it"
      },
      "source": {
        "type": "string",
        "description": "operator:<name> or strategy:<name>"
      }
    },
    "required": [
      "orderId",
      "replacedBy",
      "signalId",
      "source"
    ],
    "additionalProperties": false
  },
  'order.replaced@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/order/order-replaced.v1.json",
    "title": "OrderReplaced",
    "description": "Another order took the place of this one; what still trades of this one is part of the other",
    "type": "object",
    "properties": {
      "orderId": {
        "type": "integer",
        "description": "Number of the order in its account, 1, 2, …",
        "minimum": 1
      },
      "clientOrderId": {
        "type": "string",
        "description": "Id the broker knows the order by: book id and order number",
        "minLength": 1,
        "maxLength": 128
      },
      "symbol": {
        "$ref": "../common.json#/$defs/Symbol",
        "description": "Ticker"
      },
      "brokerSequence": {
        "type": "integer",
        "description": "Sequence of the report at the broker, from 1",
        "minimum": 1
      },
      "occurredAt": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "The broker's clock"
      },
      "replacedBy": {
        "type": "integer",
        "minimum": 1,
        "description": "Number of the order that replaces it"
      },
      "code": {
        "type": "string",
        "description": "Stable code"
      },
      "reason": {
        "type": "string",
        "description": "Why"
      }
    },
    "required": [
      "orderId",
      "clientOrderId",
      "symbol",
      "brokerSequence",
      "occurredAt",
      "replacedBy",
      "code",
      "reason"
    ],
    "additionalProperties": false
  },
  'order.withheld@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/order/order-withheld.v1.json",
    "title": "OrderWithheld",
    "description": "The executor did not send the order",
    "type": "object",
    "properties": {
      "orderId": {
        "type": "integer",
        "description": "Number of the order in its account, 1, 2, …",
        "minimum": 1
      },
      "clientOrderId": {
        "type": "string",
        "description": "Id the broker knows the order by: book id and order number",
        "minLength": 1,
        "maxLength": 128
      },
      "code": {
        "type": "string",
        "description": "Stable code: too_late, halted, canceled"
      },
      "reason": {
        "type": "string",
        "description": "Why"
      }
    },
    "required": [
      "orderId",
      "clientOrderId",
      "code",
      "reason"
    ],
    "additionalProperties": false
  },
  'risk.state_changed@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/risk/risk-state-changed.v1.json",
    "title": "RiskStateChanged",
    "description": "Trading was restricted or allowed again; latched until a resume",
    "type": "object",
    "properties": {
      "from": {
        "enum": [
          "ACTIVE",
          "REDUCING",
          "HALTED"
        ],
        "description": "Before"
      },
      "to": {
        "enum": [
          "ACTIVE",
          "REDUCING",
          "HALTED"
        ],
        "description": "After"
      },
      "code": {
        "type": "string",
        "description": "Stable code"
      },
      "observed": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "description": "What was seen"
      },
      "limit": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "description": "What is allowed"
      },
      "actor": {
        "type": "string",
        "description": "Who asked, or engine"
      },
      "reason": {
        "type": "string",
        "description": "Why, in words"
      }
    },
    "required": [
      "from",
      "to",
      "code",
      "observed",
      "limit",
      "actor",
      "reason"
    ],
    "additionalProperties": false
  },
  'risk.verdict@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/risk/risk-verdict.v1.json",
    "title": "RiskVerdict",
    "description": "What risk said of a signal",
    "type": "object",
    "properties": {
      "signalId": {
        "type": "string",
        "description": "Signal judged"
      },
      "source": {
        "type": "string",
        "description": "strategy:<name>, operator:<name> or engine"
      },
      "verdict": {
        "enum": [
          "approved",
          "denied"
        ],
        "description": "The verdict"
      },
      "orderIds": {
        "type": "array",
        "items": {
          "type": "integer"
        },
        "description": "Orders that follow; empty when denied"
      },
      "code": {
        "type": "string",
        "description": "Stable code: approved, or why denied"
      },
      "rule": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "description": "Rule that denied"
      },
      "observed": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "description": "What that rule saw"
      },
      "limit": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "description": "What that rule allows"
      },
      "qty": {
        "anyOf": [
          {
            "type": "string",
            "pattern": "^(all|notional|(?=.*[1-9])\\d{1,15}(\\.\\d{1,9})?)$"
          },
          {
            "type": "null"
          }
        ],
        "description": "Shares approved"
      },
      "checks": {
        "type": "array",
        "items": {
          "type": "object",
          "description": "One rule, what it saw and what it allows",
          "properties": {
            "rule": {
              "type": "string",
              "description": "Name of the rule"
            },
            "observed": {
              "type": "string",
              "description": "What it saw"
            },
            "limit": {
              "type": "string",
              "description": "What it allows"
            },
            "ok": {
              "type": "boolean",
              "description": "Whether it passed"
            }
          },
          "required": [
            "rule",
            "observed",
            "limit",
            "ok"
          ],
          "additionalProperties": false
        },
        "description": "Every rule looked at, in order"
      },
      "order": {
        "anyOf": [
          {
            "type": "object",
            "description": "The order approved",
            "properties": {
              "side": {
                "$ref": "../common.json#/$defs/Side",
                "description": "Side of the order"
              },
              "type": {
                "enum": [
                  "market",
                  "limit",
                  "stop",
                  "stop_limit",
                  "trailing_stop"
                ],
                "description": "Order type"
              },
              "limitPrice": {
                "$ref": "../common.json#/$defs/Decimal",
                "description": "Limit price"
              },
              "stopPrice": {
                "$ref": "../common.json#/$defs/Decimal",
                "description": "Stop price"
              },
              "trailAmount": {
                "$ref": "../common.json#/$defs/PositiveDecimal",
                "description": "Distance of a trailing stop, money per share"
              },
              "trailPercent": {
                "$ref": "../common.json#/$defs/PositiveDecimal",
                "description": "Distance of a trailing stop, percent"
              },
              "notional": {
                "$ref": "../common.json#/$defs/PositiveDecimal",
                "description": "Money to spend or raise"
              },
              "timeInForce": {
                "enum": [
                  "day",
                  "gtc",
                  "ioc",
                  "fok",
                  "opg",
                  "cls"
                ],
                "description": "How long it stands"
              },
              "symbol": {
                "$ref": "../common.json#/$defs/Symbol",
                "description": "Ticker"
              },
              "orderClass": {
                "enum": [
                  "bracket",
                  "oco",
                  "oto"
                ],
                "description": "How it and its legs belong together"
              },
              "legs": {
                "type": "array",
                "description": "Exits that go with it, in the order of their numbers",
                "items": {
                  "type": "object",
                  "description": "One exit",
                  "properties": {
                    "role": {
                      "enum": [
                        "take_profit",
                        "stop_loss"
                      ],
                      "description": "What it is for"
                    },
                    "type": {
                      "enum": [
                        "limit",
                        "stop",
                        "trailing_stop"
                      ],
                      "description": "Order type"
                    },
                    "limitPrice": {
                      "$ref": "../common.json#/$defs/PositiveDecimal",
                      "description": "Limit price"
                    },
                    "stopPrice": {
                      "$ref": "../common.json#/$defs/PositiveDecimal",
                      "description": "Stop price"
                    },
                    "trailPercent": {
                      "$ref": "../common.json#/$defs/PositiveDecimal",
                      "description": "Distance of a trailing stop, percent"
                    }
                  },
                  "required": [
                    "role",
                    "type"
                  ],
                  "additionalProperties": false
                }
              }
            },
            "required": [
              "side",
              "type",
              "timeInForce",
              "symbol"
            ],
            "additionalProperties": false
          },
          {
            "type": "null"
          }
        ]
      },
      "replaces": {
        "type": "integer",
        "minimum": 1,
        "description": "Order that the approved one takes the place of"
      }
    },
    "required": [
      "signalId",
      "source",
      "verdict",
      "orderIds",
      "code",
      "rule",
      "observed",
      "limit",
      "qty",
      "checks",
      "order"
    ],
    "additionalProperties": false
  },
  'input.gap@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/signal/input-gap.v1.json",
    "title": "InputGap",
    "description": "Messages that NATS may have confirmed to their senders, that never reached the engine, and that NATS does not hold any more. No decision consumes it",
    "type": "object",
    "properties": {
      "stream": {
        "type": "string",
        "description": "Stream they were in"
      },
      "from": {
        "type": "integer",
        "description": "First sequence that never came",
        "minimum": 1
      },
      "to": {
        "anyOf": [
          {
            "type": "integer",
            "minimum": 1
          },
          {
            "type": "null"
          }
        ],
        "description": "Last sequence known to have been given away; null: nobody knows how many there were, or whether there were any"
      },
      "after": {
        "anyOf": [
          {
            "$ref": "../common.json#/$defs/Timestamp"
          },
          {
            "type": "null"
          }
        ],
        "description": "They were stored after this; null: since ever"
      },
      "before": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "They were stored before this"
      },
      "reason": {
        "enum": [
          "messages_removed",
          "stream_recreated",
          "stream_regressed"
        ],
        "description": "messages_removed: somebody or a limit removed them; stream_recreated: the stream was made anew; stream_regressed: it came back without its newest messages"
      }
    },
    "required": [
      "stream",
      "from",
      "to",
      "after",
      "before",
      "reason"
    ],
    "additionalProperties": false
  },
  'input.refused@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/signal/input-refused.v1.json",
    "title": "InputRefused",
    "description": "A message that did not parse, validate or verify; it also lies on the dead-letter subject",
    "type": "object",
    "properties": {
      "subject": {
        "type": "string",
        "description": "Subject it came on"
      },
      "stream": {
        "type": "string",
        "description": "Stream it came from"
      },
      "sequence": {
        "type": "integer",
        "description": "Sequence in that stream",
        "minimum": 0
      },
      "code": {
        "type": "string",
        "description": "Stable code"
      },
      "message": {
        "type": "string",
        "description": "Place and remedy, in words"
      },
      "payload": {
        "type": "string",
        "description": "The first 2,048 bytes of it, as text"
      },
      "operator": {
        "type": "string",
        "description": "Operator, where the subject names one"
      },
      "signalId": {
        "type": "string",
        "description": "Id of the signal, where it has one"
      },
      "storedAt": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "When NATS stored it"
      }
    },
    "required": [
      "subject",
      "stream",
      "sequence",
      "code",
      "message",
      "payload",
      "storedAt"
    ],
    "additionalProperties": false
  },
  'signal.raised@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/signal/signal-raised.v1.json",
    "title": "SignalRaised",
    "description": "A strategy wants to trade",
    "type": "object",
    "properties": {
      "signalId": {
        "type": "string",
        "description": "<strategy>-<number>"
      },
      "strategy": {
        "type": "string",
        "description": "Name of the strategy"
      },
      "symbol": {
        "$ref": "../common.json#/$defs/Symbol",
        "description": "Ticker"
      },
      "side": {
        "enum": [
          "buy",
          "sell",
          "close"
        ],
        "description": "What is wanted"
      },
      "qty": {
        "$ref": "../common.json#/$defs/Quantity",
        "description": "Shares"
      },
      "notional": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Value instead of shares"
      },
      "orderType": {
        "enum": [
          "market",
          "limit",
          "stop"
        ],
        "description": "Order to place"
      },
      "limitPrice": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Limit price"
      },
      "stopPrice": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Stop price"
      },
      "timeInForce": {
        "enum": [
          "day",
          "gtc"
        ],
        "description": "How long the order stands"
      },
      "reason": {
        "type": "string",
        "description": "Why, in words",
        "maxLength": 1000
      },
      "takeProfit": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Limit price of the exit with a gain"
      },
      "stopLoss": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Stop price of the exit with a loss"
      },
      "trailPercent": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Distance of a trailing exit, percent of the best price"
      }
    },
    "required": [
      "signalId",
      "strategy",
      "symbol",
      "side",
      "orderType",
      "timeInForce",
      "reason"
    ],
    "additionalProperties": false
  },
  'signal.received@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/signal/signal-received.v1.json",
    "title": "SignalReceived",
    "description": "An operator wants to trade: a manual signal as it entered",
    "type": "object",
    "properties": {
      "operator": {
        "type": "string",
        "description": "Who published it",
        "pattern": "^[A-Za-z0-9_-]{1,64}$"
      },
      "signalId": {
        "type": "string",
        "description": "Id given by the operator, or a hash",
        "minLength": 1,
        "maxLength": 128
      },
      "symbol": {
        "$ref": "../common.json#/$defs/Symbol",
        "description": "Ticker"
      },
      "side": {
        "enum": [
          "buy",
          "sell",
          "close"
        ],
        "description": "What is wanted"
      },
      "qty": {
        "$ref": "../common.json#/$defs/Quantity",
        "description": "Shares"
      },
      "notional": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Value instead of shares"
      },
      "orderType": {
        "enum": [
          "market",
          "limit",
          "stop"
        ],
        "description": "Order to place"
      },
      "limitPrice": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Limit price"
      },
      "stopPrice": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Stop price"
      },
      "timeInForce": {
        "enum": [
          "day",
          "gtc"
        ],
        "description": "How long the order stands"
      },
      "reason": {
        "type": "string",
        "description": "Why, in words",
        "maxLength": 1000
      },
      "takeProfit": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Limit price of the exit with a gain"
      },
      "stopLoss": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Stop price of the exit with a loss"
      },
      "trailPercent": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Distance of a trailing exit, percent of the best price"
      },
      "confidence": {
        "type": "number",
        "minimum": 0,
        "maximum": 1,
        "description": "Confidence of the operator"
      },
      "validForMs": {
        "type": "integer",
        "description": "How long after storedAt it may be acted upon, ms",
        "minimum": 0
      },
      "storedAt": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "When NATS stored it"
      },
      "receivedAt": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "When the writer took it up"
      },
      "signed": {
        "type": "boolean",
        "description": "Whether a valid signature came with it"
      },
      "fractional": {
        "type": "boolean",
        "description": "Whether a notional buys fractions of a share too"
      }
    },
    "required": [
      "operator",
      "signalId",
      "symbol",
      "side",
      "orderType",
      "timeInForce",
      "validForMs",
      "storedAt",
      "receivedAt",
      "signed"
    ],
    "additionalProperties": false
  },
  'timer.fired@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/timer/timer-fired.v1.json",
    "title": "TimerFired",
    "description": "A timer fell due",
    "type": "object",
    "properties": {
      "name": {
        "type": "string",
        "description": "Which"
      },
      "dueAt": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "Engine time when it fell due"
      }
    },
    "required": [
      "name",
      "dueAt"
    ],
    "additionalProperties": false
  },
  'timer.set@1': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/timer/timer-set.v1.json",
    "title": "TimerSet",
    "description": "A timer that the engine set for itself",
    "type": "object",
    "properties": {
      "name": {
        "type": "string",
        "description": "Which"
      },
      "dueAt": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "Engine time when it falls due"
      }
    },
    "required": [
      "name",
      "dueAt"
    ],
    "additionalProperties": false
  },
}

/** Body schemas by name; older versions by "name@version". */
export const BODY_SCHEMAS: Readonly<Record<string, object>> = {
  'command-stored': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/command-stored.v1.json",
    "title": "CommandStored",
    "description": "A command that NATS has stored; the engine takes it in its turn",
    "type": "object",
    "properties": {
      "id": {
        "type": "string",
        "description": "Its id: the Idempotency-Key"
      },
      "stream": {
        "type": "string",
        "description": "JetStream stream that holds it"
      },
      "sequence": {
        "type": "integer",
        "minimum": 0,
        "description": "Its sequence there"
      },
      "location": {
        "type": "string",
        "description": "Where to look for what became of it"
      }
    },
    "required": [
      "id",
      "stream",
      "sequence",
      "location"
    ],
    "additionalProperties": false
  },
  'control-request': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/control-request.v1.json",
    "title": "ControlRequest",
    "description": "Body of POST /control/{action}",
    "type": "object",
    "properties": {
      "reason": {
        "type": "string",
        "minLength": 1,
        "maxLength": 1000,
        "description": "Why"
      },
      "orderId": {
        "type": "integer",
        "minimum": 1,
        "description": "cancel-order, replace-order: number of the order"
      },
      "qty": {
        "type": "string",
        "pattern": "^(?=.*[1-9])\\d{1,15}(\\.\\d{1,9})?$",
        "description": "replace-order: whole quantity, what is filled included"
      },
      "limitPrice": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "replace-order: limit price"
      },
      "stopPrice": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "replace-order: stop price"
      },
      "trailAmount": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "replace-order: distance of a trailing stop, money"
      },
      "trailPercent": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "replace-order: distance of a trailing stop, percent"
      },
      "timeInForce": {
        "enum": [
          "day",
          "gtc",
          "ioc",
          "fok",
          "opg",
          "cls"
        ],
        "description": "replace-order: how long it stands"
      }
    },
    "required": [
      "reason"
    ],
    "additionalProperties": false
  },
  'control-taken': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/control-taken.v1.json",
    "title": "ControlTaken",
    "description": "A control that the engine has taken",
    "type": "object",
    "properties": {
      "position": {
        "type": "integer",
        "minimum": -1,
        "description": "Position of the book that the answer belongs to"
      },
      "id": {
        "type": "string",
        "description": "Its id: the Idempotency-Key"
      },
      "action": {
        "type": "string",
        "description": "What was ordered"
      },
      "entry": {
        "type": "integer",
        "minimum": 0,
        "description": "Its position in the book; /explain/p:<entry> tells what came of it"
      },
      "trading": {
        "enum": [
          "ACTIVE",
          "REDUCING",
          "HALTED"
        ],
        "description": "Trading state now"
      },
      "verdict": {
        "anyOf": [
          {
            "enum": [
              "approved",
              "denied"
            ]
          },
          {
            "type": "null"
          }
        ],
        "description": "cancel-order, replace-order: what was said of it; null for the others"
      },
      "orderIds": {
        "type": "array",
        "items": {
          "type": "integer",
          "minimum": 1
        },
        "description": "replace-order: the order that takes the place of the other; empty when denied, and for the others"
      },
      "code": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "description": "Stable code: why denied, or what is done"
      },
      "observed": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "description": "What the rule that denied saw"
      },
      "limit": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "description": "What that rule allows"
      }
    },
    "required": [
      "position",
      "id",
      "action",
      "entry",
      "trading",
      "verdict",
      "orderIds",
      "code",
      "observed",
      "limit"
    ],
    "additionalProperties": false
  },
  'decision-body': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/decision-body.v1.json",
    "title": "DecisionBody",
    "description": "Something that was decided, or that a decision was based on",
    "type": "object",
    "properties": {
      "entry": {
        "type": "integer",
        "description": "Position in the book of the event that brought it",
        "minimum": 0
      },
      "type": {
        "type": "string",
        "description": "Type of the event"
      },
      "step": {
        "type": "integer",
        "description": "Position of the input that it follows from",
        "minimum": 0
      },
      "because": {
        "anyOf": [
          {
            "type": "integer",
            "minimum": 0
          },
          {
            "type": "null"
          }
        ],
        "description": "Position of the event that caused it; null: it is an input itself"
      },
      "at": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "Engine time"
      },
      "data": {
        "type": "object",
        "description": "The event's data, by the schema of its type"
      }
    },
    "required": [
      "entry",
      "type",
      "step",
      "because",
      "at",
      "data"
    ],
    "additionalProperties": false
  },
  'decision-list': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/decision-list.v1.json",
    "title": "DecisionList",
    "description": "Decisions",
    "type": "object",
    "properties": {
      "position": {
        "type": "integer",
        "description": "Position of the book that the answer belongs to; -1: it is empty",
        "minimum": -1
      },
      "items": {
        "type": "array",
        "items": {
          "$ref": "./decision-body.v1.json"
        },
        "description": "One page"
      },
      "next": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "description": "Cursor of the next page; null: this is the last"
      }
    },
    "required": [
      "position",
      "items",
      "next"
    ],
    "additionalProperties": false
  },
  'equity-list': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/equity-list.v1.json",
    "title": "EquityList",
    "description": "The equity curve",
    "type": "object",
    "properties": {
      "position": {
        "type": "integer",
        "description": "Position of the book that the answer belongs to; -1: it is empty",
        "minimum": -1
      },
      "items": {
        "type": "array",
        "items": {
          "$ref": "./equity-point.v1.json"
        },
        "description": "One page"
      },
      "next": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "description": "Cursor of the next page; null: this is the last"
      },
      "summary": {
        "$ref": "./equity-summary.v1.json"
      }
    },
    "required": [
      "position",
      "items",
      "next",
      "summary"
    ],
    "additionalProperties": false
  },
  'equity-point': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/equity-point.v1.json",
    "title": "EquityPoint",
    "description": "The account after all bars of one moment",
    "type": "object",
    "properties": {
      "entry": {
        "type": "integer",
        "description": "Position in the book of the event that brought it",
        "minimum": 0
      },
      "time": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "Start of the bar"
      },
      "at": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "Engine time"
      },
      "cash": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Cash"
      },
      "positionValue": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Value of all positions at the mark, signed"
      },
      "equity": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "cash + positionValue, exactly"
      },
      "drawdown": {
        "anyOf": [
          {
            "type": "number"
          },
          {
            "type": "null"
          }
        ],
        "description": "equity / highest equity so far − 1; null where that is not above zero"
      }
    },
    "required": [
      "entry",
      "time",
      "at",
      "cash",
      "positionValue",
      "equity",
      "drawdown"
    ],
    "additionalProperties": false
  },
  'equity-summary': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/equity-summary.v1.json",
    "title": "EquitySummary",
    "description": "Figures of the whole curve, by the definitions of summary.json",
    "type": "object",
    "properties": {
      "start": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Cash to begin with"
      },
      "end": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Equity of the last point"
      },
      "peak": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Highest equity of a point"
      },
      "maxDrawdown": {
        "anyOf": [
          {
            "type": "number"
          },
          {
            "type": "null"
          }
        ],
        "description": "Lowest drawdown of a point, zero or negative"
      },
      "maxDrawdownDays": {
        "anyOf": [
          {
            "type": "number"
          },
          {
            "type": "null"
          }
        ],
        "description": "Longest time under water, days, an open one included"
      }
    },
    "required": [
      "start",
      "end",
      "peak",
      "maxDrawdown",
      "maxDrawdownDays"
    ],
    "additionalProperties": false
  },
  'event-body': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/event-body.v1.json",
    "title": "EventBody",
    "description": "An event of the book",
    "type": "object",
    "properties": {
      "position": {
        "type": "integer",
        "description": "Place in the book",
        "minimum": 0
      },
      "id": {
        "type": "string",
        "description": "UUID"
      },
      "type": {
        "type": "string",
        "description": "Type"
      },
      "version": {
        "type": "integer",
        "description": "Version of its schema",
        "minimum": 1
      },
      "at": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "Engine time"
      },
      "recordedAt": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "Wall clock of the writer"
      },
      "step": {
        "type": "integer",
        "description": "Position of the input that it belongs to",
        "minimum": 0
      },
      "because": {
        "anyOf": [
          {
            "type": "integer",
            "minimum": 0
          },
          {
            "type": "null"
          }
        ],
        "description": "Position of the event that caused it; null: an input"
      },
      "data": {
        "type": "object",
        "description": "Data by the schema of its type"
      }
    },
    "required": [
      "position",
      "id",
      "type",
      "version",
      "at",
      "recordedAt",
      "step",
      "because",
      "data"
    ],
    "additionalProperties": false
  },
  'event-list': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/event-list.v1.json",
    "title": "EventList",
    "description": "Events of the book",
    "type": "object",
    "properties": {
      "position": {
        "type": "integer",
        "description": "Position of the book that the answer belongs to; -1: it is empty",
        "minimum": -1
      },
      "items": {
        "type": "array",
        "items": {
          "$ref": "./event-body.v1.json"
        },
        "description": "One page"
      },
      "next": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "description": "Cursor of the next page; null: this is the last"
      }
    },
    "required": [
      "position",
      "items",
      "next"
    ],
    "additionalProperties": false
  },
  'explain-body': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/explain-body.v1.json",
    "title": "ExplainBody",
    "description": "Why something is as it is: the events that led to it and followed from it",
    "type": "object",
    "properties": {
      "id": {
        "type": "string",
        "description": "What was asked for"
      },
      "kind": {
        "enum": [
          "order",
          "signal",
          "bar",
          "event"
        ],
        "description": "What it is"
      },
      "position": {
        "type": "integer",
        "minimum": -1,
        "description": "Position of the book that the answer belongs to"
      },
      "outcome": {
        "type": "string",
        "description": "What became of it, in a few words"
      },
      "chain": {
        "type": "array",
        "description": "In the order of the book, each with the event that caused it",
        "items": {
          "type": "object",
          "properties": {
            "position": {
              "type": "integer",
              "minimum": 0,
              "description": "Place in the book"
            },
            "type": {
              "type": "string",
              "description": "Type of the event"
            },
            "at": {
              "$ref": "../common.json#/$defs/Timestamp",
              "description": "Engine time"
            },
            "because": {
              "anyOf": [
                {
                  "type": "integer",
                  "minimum": 0
                },
                {
                  "type": "null"
                }
              ],
              "description": "Position of the event that caused it; null: an input"
            },
            "text": {
              "type": "string",
              "description": "The event as a sentence"
            },
            "data": {
              "type": "object",
              "description": "Its data, by the schema of its type"
            }
          },
          "required": [
            "position",
            "type",
            "at",
            "because",
            "text",
            "data"
          ],
          "additionalProperties": false
        }
      },
      "truncated": {
        "type": "boolean",
        "description": "Whether the chain is longer than what is shown"
      },
      "strategies": {
        "type": "array",
        "description": "Bars only: what each strategy looked at",
        "items": {
          "type": "object",
          "properties": {
            "strategy": {
              "type": "string",
              "description": "Name"
            },
            "params": {
              "type": "object",
              "description": "Its parameters"
            },
            "actions": {
              "type": "array",
              "description": "What it may do, and all that must hold for it",
              "items": {
                "type": "object",
                "properties": {
                  "side": {
                    "enum": [
                      "buy",
                      "sell",
                      "close"
                    ],
                    "description": "Action"
                  },
                  "met": {
                    "type": "boolean",
                    "description": "Whether all conditions held"
                  },
                  "conditions": {
                    "type": "array",
                    "items": {
                      "type": "object",
                      "properties": {
                        "name": {
                          "type": "string",
                          "description": "What is looked at"
                        },
                        "observed": {
                          "anyOf": [
                            {
                              "type": "string"
                            },
                            {
                              "type": "null"
                            }
                          ],
                          "description": "What was there; null: not known yet"
                        },
                        "wanted": {
                          "type": "string",
                          "description": "What is wanted"
                        },
                        "met": {
                          "type": "boolean",
                          "description": "Whether it holds"
                        }
                      },
                      "required": [
                        "name",
                        "observed",
                        "wanted",
                        "met"
                      ],
                      "additionalProperties": false
                    },
                    "description": "Each of them"
                  }
                },
                "required": [
                  "side",
                  "met",
                  "conditions"
                ],
                "additionalProperties": false
              }
            }
          },
          "required": [
            "strategy",
            "params",
            "actions"
          ],
          "additionalProperties": false
        }
      }
    },
    "required": [
      "id",
      "kind",
      "position",
      "outcome",
      "chain",
      "truncated"
    ],
    "additionalProperties": false
  },
  'fill-body': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/fill-body.v1.json",
    "title": "FillBody",
    "description": "One execution",
    "type": "object",
    "properties": {
      "entry": {
        "type": "integer",
        "description": "Position in the book of the event that brought it",
        "minimum": 0
      },
      "orderId": {
        "type": "integer",
        "description": "Number of the order",
        "minimum": 1
      },
      "clientOrderId": {
        "type": "string",
        "description": "Id the broker knows the order by"
      },
      "symbol": {
        "$ref": "../common.json#/$defs/Symbol",
        "description": "Ticker"
      },
      "side": {
        "$ref": "../common.json#/$defs/Side",
        "description": "Side of the order"
      },
      "qty": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Shares traded"
      },
      "price": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Price per share"
      },
      "fee": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Fee charged"
      },
      "complete": {
        "type": "boolean",
        "description": "Whether nothing of the order is left"
      },
      "at": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "Engine time"
      },
      "occurredAt": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "The broker's clock"
      }
    },
    "required": [
      "entry",
      "orderId",
      "clientOrderId",
      "symbol",
      "side",
      "qty",
      "price",
      "fee",
      "complete",
      "at",
      "occurredAt"
    ],
    "additionalProperties": false
  },
  'fill-list': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/fill-list.v1.json",
    "title": "FillList",
    "description": "Fills",
    "type": "object",
    "properties": {
      "position": {
        "type": "integer",
        "description": "Position of the book that the answer belongs to; -1: it is empty",
        "minimum": -1
      },
      "items": {
        "type": "array",
        "items": {
          "$ref": "./fill-body.v1.json"
        },
        "description": "One page"
      },
      "next": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "description": "Cursor of the next page; null: this is the last"
      }
    },
    "required": [
      "position",
      "items",
      "next"
    ],
    "additionalProperties": false
  },
  'health-body': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/health-body.v1.json",
    "title": "HealthBody",
    "description": "Liveness, readiness, version and role",
    "type": "object",
    "properties": {
      "position": {
        "type": "integer",
        "description": "Position of the book that the answer belongs to; -1: it is empty",
        "minimum": -1
      },
      "live": {
        "const": true,
        "description": "Always, when this is answered at all"
      },
      "ready": {
        "type": "boolean",
        "description": "Whether every check passed"
      },
      "version": {
        "type": "string",
        "description": "Version of the package"
      },
      "role": {
        "type": "string",
        "description": "What this process is, such as writer or standby"
      },
      "checks": {
        "type": "array",
        "items": {
          "type": "object",
          "properties": {
            "name": {
              "type": "string",
              "description": "What is looked at"
            },
            "ok": {
              "type": "boolean",
              "description": "Whether it is well"
            },
            "detail": {
              "type": "string",
              "description": "What was seen, and the remedy"
            }
          },
          "required": [
            "name",
            "ok"
          ],
          "additionalProperties": false
        },
        "description": "What readiness needs"
      }
    },
    "required": [
      "position",
      "live",
      "ready",
      "version",
      "role",
      "checks"
    ],
    "additionalProperties": false
  },
  'live-body': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/live-body.v1.json",
    "title": "LiveBody",
    "description": "The process answers",
    "type": "object",
    "properties": {
      "position": {
        "type": "integer",
        "description": "Position of the book that the answer belongs to; -1: it is empty",
        "minimum": -1
      },
      "live": {
        "const": true,
        "description": "Always, when this is answered at all"
      }
    },
    "required": [
      "position",
      "live"
    ],
    "additionalProperties": false
  },
  'order-body': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/order-body.v1.json",
    "title": "OrderBody",
    "description": "An order from its intent to its end",
    "type": "object",
    "properties": {
      "id": {
        "type": "integer",
        "description": "Number of the order in its account, 1, 2, …",
        "minimum": 1
      },
      "clientOrderId": {
        "type": "string",
        "description": "Id the broker knows the order by"
      },
      "symbol": {
        "$ref": "../common.json#/$defs/Symbol",
        "description": "Ticker"
      },
      "side": {
        "$ref": "../common.json#/$defs/Side",
        "description": "Side of the order"
      },
      "type": {
        "enum": [
          "market",
          "limit",
          "stop",
          "stop_limit",
          "trailing_stop",
          "close"
        ],
        "description": "Order type"
      },
      "qty": {
        "type": "string",
        "pattern": "^(all|notional|(?=.*[1-9])\\d{1,15}(\\.\\d{1,9})?)$",
        "description": "Shares; \"all\" or \"notional\" until such an order has filled"
      },
      "filledQty": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Shares traded so far"
      },
      "avgPrice": {
        "anyOf": [
          {
            "$ref": "../common.json#/$defs/Decimal"
          },
          {
            "type": "null"
          }
        ],
        "description": "Volume-weighted price of the fills, rounded half to even at nine decimals; null before the first"
      },
      "status": {
        "enum": [
          "intended",
          "unknown",
          "held",
          "accepted",
          "partially_filled",
          "filled",
          "canceled",
          "expired",
          "rejected",
          "withheld",
          "replaced"
        ],
        "description": "Where it stands"
      },
      "code": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "description": "Stable code of why it ended or is unknown"
      },
      "reason": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "description": "The same in words"
      },
      "limitPrice": {
        "anyOf": [
          {
            "$ref": "../common.json#/$defs/Decimal"
          },
          {
            "type": "null"
          }
        ],
        "description": "Limit price"
      },
      "stopPrice": {
        "anyOf": [
          {
            "$ref": "../common.json#/$defs/Decimal"
          },
          {
            "type": "null"
          }
        ],
        "description": "Stop price"
      },
      "timeInForce": {
        "enum": [
          "day",
          "gtc",
          "ioc",
          "fok",
          "opg",
          "cls"
        ],
        "description": "How long it stands"
      },
      "expiresAt": {
        "anyOf": [
          {
            "$ref": "../common.json#/$defs/Timestamp"
          },
          {
            "type": "null"
          }
        ],
        "description": "Moment at which the broker lets it expire"
      },
      "cancelRequested": {
        "type": "boolean",
        "description": "Whether its cancellation was asked for"
      },
      "signalId": {
        "type": "string",
        "description": "Signal it follows from"
      },
      "createdAt": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "Engine time of the intent"
      },
      "updatedAt": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "Engine time of the last change"
      },
      "entry": {
        "type": "integer",
        "description": "Position in the book of the event that brought it",
        "minimum": 0
      },
      "trailAmount": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Distance of a trailing stop, money per share"
      },
      "trailPercent": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Distance of a trailing stop, percent"
      },
      "notional": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Money to spend or raise"
      },
      "orderClass": {
        "enum": [
          "bracket",
          "oco",
          "oto"
        ],
        "description": "How it and its legs belong together"
      },
      "legs": {
        "type": "array",
        "items": {
          "type": "integer"
        },
        "description": "Numbers of its legs"
      },
      "parentId": {
        "type": "integer",
        "description": "Order whose leg it is"
      },
      "role": {
        "enum": [
          "take_profit",
          "stop_loss"
        ],
        "description": "What it is as a leg"
      },
      "replaces": {
        "type": "integer",
        "description": "Order that it takes, or took, the place of"
      },
      "replacedBy": {
        "type": "integer",
        "description": "Order that took its place"
      }
    },
    "required": [
      "id",
      "clientOrderId",
      "symbol",
      "side",
      "type",
      "qty",
      "filledQty",
      "avgPrice",
      "status",
      "code",
      "reason",
      "limitPrice",
      "stopPrice",
      "timeInForce",
      "expiresAt",
      "cancelRequested",
      "signalId",
      "createdAt",
      "updatedAt",
      "entry"
    ],
    "additionalProperties": false
  },
  'order-detail': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/order-detail.v1.json",
    "title": "OrderDetail",
    "description": "One order",
    "type": "object",
    "properties": {
      "position": {
        "type": "integer",
        "description": "Position of the book that the answer belongs to; -1: it is empty",
        "minimum": -1
      },
      "id": {
        "$ref": "./order-body.v1.json#/properties/id"
      },
      "clientOrderId": {
        "$ref": "./order-body.v1.json#/properties/clientOrderId"
      },
      "symbol": {
        "$ref": "./order-body.v1.json#/properties/symbol"
      },
      "side": {
        "$ref": "./order-body.v1.json#/properties/side"
      },
      "type": {
        "$ref": "./order-body.v1.json#/properties/type"
      },
      "qty": {
        "$ref": "./order-body.v1.json#/properties/qty"
      },
      "filledQty": {
        "$ref": "./order-body.v1.json#/properties/filledQty"
      },
      "avgPrice": {
        "$ref": "./order-body.v1.json#/properties/avgPrice"
      },
      "status": {
        "$ref": "./order-body.v1.json#/properties/status"
      },
      "code": {
        "$ref": "./order-body.v1.json#/properties/code"
      },
      "reason": {
        "$ref": "./order-body.v1.json#/properties/reason"
      },
      "limitPrice": {
        "$ref": "./order-body.v1.json#/properties/limitPrice"
      },
      "stopPrice": {
        "$ref": "./order-body.v1.json#/properties/stopPrice"
      },
      "timeInForce": {
        "$ref": "./order-body.v1.json#/properties/timeInForce"
      },
      "expiresAt": {
        "$ref": "./order-body.v1.json#/properties/expiresAt"
      },
      "cancelRequested": {
        "$ref": "./order-body.v1.json#/properties/cancelRequested"
      },
      "signalId": {
        "$ref": "./order-body.v1.json#/properties/signalId"
      },
      "createdAt": {
        "$ref": "./order-body.v1.json#/properties/createdAt"
      },
      "updatedAt": {
        "$ref": "./order-body.v1.json#/properties/updatedAt"
      },
      "entry": {
        "$ref": "./order-body.v1.json#/properties/entry"
      },
      "trailAmount": {
        "$ref": "./order-body.v1.json#/properties/trailAmount"
      },
      "trailPercent": {
        "$ref": "./order-body.v1.json#/properties/trailPercent"
      },
      "notional": {
        "$ref": "./order-body.v1.json#/properties/notional"
      },
      "orderClass": {
        "$ref": "./order-body.v1.json#/properties/orderClass"
      },
      "legs": {
        "$ref": "./order-body.v1.json#/properties/legs"
      },
      "parentId": {
        "$ref": "./order-body.v1.json#/properties/parentId"
      },
      "role": {
        "$ref": "./order-body.v1.json#/properties/role"
      },
      "replaces": {
        "$ref": "./order-body.v1.json#/properties/replaces"
      },
      "replacedBy": {
        "$ref": "./order-body.v1.json#/properties/replacedBy"
      }
    },
    "required": [
      "position",
      "id",
      "clientOrderId",
      "symbol",
      "side",
      "type",
      "qty",
      "filledQty",
      "avgPrice",
      "status",
      "code",
      "reason",
      "limitPrice",
      "stopPrice",
      "timeInForce",
      "expiresAt",
      "cancelRequested",
      "signalId",
      "createdAt",
      "updatedAt",
      "entry"
    ],
    "additionalProperties": false
  },
  'order-list': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/order-list.v1.json",
    "title": "OrderList",
    "description": "Orders",
    "type": "object",
    "properties": {
      "position": {
        "type": "integer",
        "description": "Position of the book that the answer belongs to; -1: it is empty",
        "minimum": -1
      },
      "items": {
        "type": "array",
        "items": {
          "$ref": "./order-body.v1.json"
        },
        "description": "One page"
      },
      "next": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "description": "Cursor of the next page; null: this is the last"
      }
    },
    "required": [
      "position",
      "items",
      "next"
    ],
    "additionalProperties": false
  },
  'pnl-body': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/pnl-body.v1.json",
    "title": "PnlBody",
    "description": "Gains and losses since the book began; amounts in the account currency",
    "type": "object",
    "properties": {
      "position": {
        "type": "integer",
        "description": "Position of the book that the answer belongs to; -1: it is empty",
        "minimum": -1
      },
      "at": {
        "anyOf": [
          {
            "$ref": "../common.json#/$defs/Timestamp"
          },
          {
            "type": "null"
          }
        ],
        "description": "Engine time of the last input; null before the first"
      },
      "start": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Cash to begin with"
      },
      "equity": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Equity now"
      },
      "total": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "equity − start, exactly realizedPnl + unrealizedPnl − openFees"
      },
      "realizedPnl": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Closed round trips, both sides' fees taken off"
      },
      "unrealizedPnl": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Open lots at the mark, without fees"
      },
      "openFees": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Paid for what is not closed: in neither of the two above"
      },
      "fees": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "All fees paid"
      },
      "symbols": {
        "type": "array",
        "items": {
          "type": "object",
          "properties": {
            "symbol": {
              "$ref": "../common.json#/$defs/Symbol",
              "description": "Ticker"
            },
            "qty": {
              "$ref": "../common.json#/$defs/Decimal",
              "description": "Shares held, negative when short"
            },
            "unrealizedPnl": {
              "$ref": "../common.json#/$defs/Decimal",
              "description": "Open lots at the mark"
            },
            "realizedPnl": {
              "$ref": "../common.json#/$defs/Decimal",
              "description": "Closed round trips, both sides' fees taken off"
            },
            "trades": {
              "type": "integer",
              "description": "Closed round trips",
              "minimum": 0
            },
            "wins": {
              "type": "integer",
              "description": "Those that gained",
              "minimum": 0
            },
            "losses": {
              "type": "integer",
              "description": "Those that lost; the rest broke even",
              "minimum": 0
            },
            "fees": {
              "$ref": "../common.json#/$defs/Decimal",
              "description": "Both sides' fees of the closed round trips"
            }
          },
          "required": [
            "symbol",
            "qty",
            "unrealizedPnl",
            "realizedPnl",
            "trades",
            "wins",
            "losses",
            "fees"
          ],
          "additionalProperties": false
        },
        "description": "By symbol"
      },
      "sources": {
        "type": "array",
        "items": {
          "type": "object",
          "properties": {
            "source": {
              "type": "string",
              "description": "strategy:<name>, operator:<name>, engine or unknown"
            },
            "realizedPnl": {
              "$ref": "../common.json#/$defs/Decimal",
              "description": "Closed round trips, both sides' fees taken off"
            },
            "trades": {
              "type": "integer",
              "description": "Closed round trips",
              "minimum": 0
            },
            "wins": {
              "type": "integer",
              "description": "Those that gained",
              "minimum": 0
            },
            "losses": {
              "type": "integer",
              "description": "Those that lost; the rest broke even",
              "minimum": 0
            },
            "fees": {
              "$ref": "../common.json#/$defs/Decimal",
              "description": "Both sides' fees of the closed round trips"
            }
          },
          "required": [
            "source",
            "realizedPnl",
            "trades",
            "wins",
            "losses",
            "fees"
          ],
          "additionalProperties": false
        },
        "description": "By who opened what was closed"
      },
      "days": {
        "type": "array",
        "items": {
          "type": "object",
          "properties": {
            "day": {
              "type": "string",
              "pattern": "^\\d{4}-\\d\\d-\\d\\d$",
              "description": "Trading day"
            },
            "equity": {
              "$ref": "../common.json#/$defs/Decimal",
              "description": "At the end of the day"
            },
            "change": {
              "$ref": "../common.json#/$defs/Decimal",
              "description": "Against the end of the day before"
            },
            "traded": {
              "$ref": "../common.json#/$defs/Decimal",
              "description": "Value of all fills"
            },
            "realizedPnl": {
              "$ref": "../common.json#/$defs/Decimal",
              "description": "Closed round trips, both sides' fees taken off"
            },
            "trades": {
              "type": "integer",
              "description": "Closed round trips",
              "minimum": 0
            },
            "wins": {
              "type": "integer",
              "description": "Those that gained",
              "minimum": 0
            },
            "losses": {
              "type": "integer",
              "description": "Those that lost; the rest broke even",
              "minimum": 0
            },
            "fees": {
              "$ref": "../common.json#/$defs/Decimal",
              "description": "Both sides' fees of the closed round trips"
            }
          },
          "required": [
            "day",
            "equity",
            "change",
            "traded",
            "realizedPnl",
            "trades",
            "wins",
            "losses",
            "fees"
          ],
          "additionalProperties": false
        },
        "description": "By trading day, newest first; see `days`"
      }
    },
    "required": [
      "position",
      "at",
      "start",
      "equity",
      "total",
      "realizedPnl",
      "unrealizedPnl",
      "openFees",
      "fees",
      "symbols",
      "sources",
      "days"
    ],
    "additionalProperties": false
  },
  'pnl-figures': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/pnl-figures.v1.json",
    "title": "PnlFigures",
    "description": "Closed round trips added up",
    "type": "object",
    "properties": {
      "realizedPnl": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Closed round trips, both sides' fees taken off"
      },
      "trades": {
        "type": "integer",
        "description": "Closed round trips",
        "minimum": 0
      },
      "wins": {
        "type": "integer",
        "description": "Those that gained",
        "minimum": 0
      },
      "losses": {
        "type": "integer",
        "description": "Those that lost; the rest broke even",
        "minimum": 0
      },
      "fees": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Both sides' fees of the closed round trips"
      }
    },
    "required": [
      "realizedPnl",
      "trades",
      "wins",
      "losses",
      "fees"
    ],
    "additionalProperties": false
  },
  'portfolio-body': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/portfolio-body.v1.json",
    "title": "PortfolioBody",
    "description": "Cash and positions; amounts in the account currency",
    "type": "object",
    "properties": {
      "position": {
        "type": "integer",
        "description": "Position of the book that the answer belongs to; -1: it is empty",
        "minimum": -1
      },
      "at": {
        "anyOf": [
          {
            "$ref": "../common.json#/$defs/Timestamp"
          },
          {
            "type": "null"
          }
        ],
        "description": "Engine time of the last input; null before the first"
      },
      "currency": {
        "const": "USD",
        "description": "Currency of all amounts"
      },
      "cash": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Cash"
      },
      "equity": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "cash + the market value of all positions, exactly"
      },
      "unrealizedPnl": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Sum over the open positions"
      },
      "realizedPnl": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Sum over all closed round trips, fees taken off"
      },
      "fees": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Fees paid so far"
      },
      "charges": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Paid without an order, such as borrow fees; left out where nothing was"
      },
      "positions": {
        "type": "array",
        "items": {
          "$ref": "./position-body.v1.json"
        },
        "description": "Open positions by symbol"
      }
    },
    "required": [
      "position",
      "at",
      "currency",
      "cash",
      "equity",
      "unrealizedPnl",
      "realizedPnl",
      "fees",
      "positions"
    ],
    "additionalProperties": false
  },
  'position-body': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/position-body.v1.json",
    "title": "PositionBody",
    "description": "A position that is not flat; amounts in the account currency",
    "type": "object",
    "properties": {
      "symbol": {
        "$ref": "../common.json#/$defs/Symbol",
        "description": "Ticker"
      },
      "qty": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Shares, negative when short"
      },
      "avgPrice": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Price paid or received for the shares held, first in first out, without fees"
      },
      "marketPrice": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Close of the last bar, or the price of a later fill"
      },
      "marketValue": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "qty × marketPrice"
      },
      "unrealizedPnl": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "marketValue less what the shares held cost, without fees"
      },
      "realizedPnl": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Gains and losses of the closed round trips of the symbol, fees taken off"
      }
    },
    "required": [
      "symbol",
      "qty",
      "avgPrice",
      "marketPrice",
      "marketValue",
      "unrealizedPnl",
      "realizedPnl"
    ],
    "additionalProperties": false
  },
  'position-list': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/position-list.v1.json",
    "title": "PositionList",
    "description": "Open positions by symbol",
    "type": "object",
    "properties": {
      "position": {
        "type": "integer",
        "description": "Position of the book that the answer belongs to; -1: it is empty",
        "minimum": -1
      },
      "items": {
        "type": "array",
        "items": {
          "$ref": "./position-body.v1.json"
        },
        "description": "One page"
      },
      "next": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "description": "Cursor of the next page; null: this is the last"
      }
    },
    "required": [
      "position",
      "items",
      "next"
    ],
    "additionalProperties": false
  },
  'problem-body': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/problem-body.v1.json",
    "title": "ProblemBody",
    "description": "What went wrong, by RFC 9457",
    "type": "object",
    "properties": {
      "type": {
        "type": "string",
        "description": "Stable URI reference of the kind of problem, such as /problems/not-found"
      },
      "title": {
        "type": "string",
        "description": "The kind in words"
      },
      "status": {
        "type": "integer",
        "description": "HTTP status",
        "minimum": 100
      },
      "detail": {
        "type": "string",
        "description": "This case, and the remedy"
      },
      "errors": {
        "type": "array",
        "items": {
          "type": "object",
          "properties": {
            "pointer": {
              "type": "string",
              "description": "JSON pointer: /query/<parameter> or /path/<parameter>"
            },
            "detail": {
              "type": "string",
              "description": "What is wrong with it"
            }
          },
          "required": [
            "pointer",
            "detail"
          ],
          "additionalProperties": false
        },
        "description": "Every fault found"
      }
    },
    "required": [
      "type",
      "title",
      "status",
      "detail"
    ],
    "additionalProperties": false
  },
  'queue-body': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/queue-body.v1.json",
    "title": "QueueBody",
    "description": "One queue",
    "type": "object",
    "properties": {
      "name": {
        "type": "string",
        "description": "orders.<what they wait for> or inputs.<door>"
      },
      "depth": {
        "anyOf": [
          {
            "type": "integer",
            "minimum": 0
          },
          {
            "type": "null"
          }
        ],
        "description": "How many wait; null: inputs wait in NATS, not in the book"
      },
      "done": {
        "anyOf": [
          {
            "type": "integer",
            "minimum": 0
          },
          {
            "type": "null"
          }
        ],
        "description": "How many went through"
      },
      "lastAt": {
        "anyOf": [
          {
            "$ref": "../common.json#/$defs/Timestamp"
          },
          {
            "type": "null"
          }
        ],
        "description": "Engine time of the newest that went through"
      },
      "oldest": {
        "anyOf": [
          {
            "type": "object",
            "properties": {
              "entry": {
                "type": "integer",
                "description": "Position in the book of the event that brought it",
                "minimum": 0
              },
              "at": {
                "$ref": "../common.json#/$defs/Timestamp",
                "description": "Engine time"
              }
            },
            "required": [
              "entry",
              "at"
            ],
            "additionalProperties": false
          },
          {
            "type": "null"
          }
        ],
        "description": "What waits longest"
      }
    },
    "required": [
      "name",
      "depth",
      "done",
      "lastAt",
      "oldest"
    ],
    "additionalProperties": false
  },
  'queue-list': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/queue-list.v1.json",
    "title": "QueueList",
    "description": "Queues",
    "type": "object",
    "properties": {
      "position": {
        "type": "integer",
        "description": "Position of the book that the answer belongs to; -1: it is empty",
        "minimum": -1
      },
      "items": {
        "type": "array",
        "items": {
          "$ref": "./queue-body.v1.json"
        },
        "description": "All of them"
      },
      "next": {
        "type": "null",
        "description": "There is one page"
      }
    },
    "required": [
      "position",
      "items",
      "next"
    ],
    "additionalProperties": false
  },
  'ready-body': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/ready-body.v1.json",
    "title": "ReadyBody",
    "description": "Whether the engine is ready",
    "type": "object",
    "properties": {
      "position": {
        "type": "integer",
        "description": "Position of the book that the answer belongs to; -1: it is empty",
        "minimum": -1
      },
      "ready": {
        "type": "boolean",
        "description": "Whether every check passed"
      },
      "checks": {
        "type": "array",
        "items": {
          "type": "object",
          "properties": {
            "name": {
              "type": "string",
              "description": "What is looked at"
            },
            "ok": {
              "type": "boolean",
              "description": "Whether it is well"
            },
            "detail": {
              "type": "string",
              "description": "What was seen, and the remedy"
            }
          },
          "required": [
            "name",
            "ok"
          ],
          "additionalProperties": false
        },
        "description": "What readiness needs"
      }
    },
    "required": [
      "position",
      "ready",
      "checks"
    ],
    "additionalProperties": false
  },
  'signal-body': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/signal-body.v1.json",
    "title": "SignalBody",
    "description": "A signal and its verdict",
    "type": "object",
    "properties": {
      "signalId": {
        "type": "string",
        "description": "Id within its source"
      },
      "verdict": {
        "anyOf": [
          {
            "enum": [
              "approved",
              "denied"
            ]
          },
          {
            "type": "null"
          }
        ],
        "description": "What risk said; null: not judged yet"
      },
      "orderIds": {
        "type": "array",
        "items": {
          "type": "integer",
          "minimum": 1
        },
        "description": "Numbers of the orders that follow; empty when denied"
      },
      "code": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "description": "Stable code: approved, or why denied"
      },
      "rule": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "description": "Rule that denied; input: refused before risk saw it"
      },
      "observed": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "description": "What that rule saw"
      },
      "limit": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "description": "What that rule allows"
      },
      "kind": {
        "enum": [
          "manual",
          "strategy",
          "control",
          "refused"
        ],
        "description": "manual: from an operator; strategy: raised by one; control: a flatten; refused: it did not parse, validate or verify"
      },
      "source": {
        "type": "string",
        "description": "strategy:<name>, operator:<name>, or unknown"
      },
      "symbol": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "description": "Ticker; null where it could not be read"
      },
      "side": {
        "anyOf": [
          {
            "enum": [
              "buy",
              "sell",
              "close"
            ]
          },
          {
            "type": "null"
          }
        ],
        "description": "What is wanted"
      },
      "type": {
        "anyOf": [
          {
            "enum": [
              "market",
              "limit",
              "stop"
            ]
          },
          {
            "type": "null"
          }
        ],
        "description": "Order to place"
      },
      "qty": {
        "anyOf": [
          {
            "$ref": "../common.json#/$defs/Quantity"
          },
          {
            "type": "null"
          }
        ],
        "description": "Shares asked for"
      },
      "notional": {
        "anyOf": [
          {
            "$ref": "../common.json#/$defs/Decimal"
          },
          {
            "type": "null"
          }
        ],
        "description": "Value asked for instead of shares"
      },
      "limitPrice": {
        "anyOf": [
          {
            "$ref": "../common.json#/$defs/Decimal"
          },
          {
            "type": "null"
          }
        ],
        "description": "Limit price"
      },
      "stopPrice": {
        "anyOf": [
          {
            "$ref": "../common.json#/$defs/Decimal"
          },
          {
            "type": "null"
          }
        ],
        "description": "Stop price"
      },
      "approvedQty": {
        "anyOf": [
          {
            "$ref": "../common.json#/$defs/Quantity"
          },
          {
            "type": "null"
          }
        ],
        "description": "Shares approved"
      },
      "reason": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "description": "Why, in the words of its source"
      },
      "at": {
        "$ref": "../common.json#/$defs/Timestamp",
        "description": "Engine time"
      },
      "entry": {
        "type": "integer",
        "description": "Position in the book of the event that brought it",
        "minimum": 0
      }
    },
    "required": [
      "signalId",
      "verdict",
      "orderIds",
      "code",
      "rule",
      "observed",
      "limit",
      "kind",
      "source",
      "symbol",
      "side",
      "type",
      "qty",
      "notional",
      "limitPrice",
      "stopPrice",
      "approvedQty",
      "reason",
      "at",
      "entry"
    ],
    "additionalProperties": false
  },
  'signal-detail': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/signal-detail.v1.json",
    "title": "SignalDetail",
    "description": "One signal, with every rule that was looked at",
    "type": "object",
    "properties": {
      "position": {
        "type": "integer",
        "description": "Position of the book that the answer belongs to; -1: it is empty",
        "minimum": -1
      },
      "signalId": {
        "$ref": "./signal-body.v1.json#/properties/signalId"
      },
      "verdict": {
        "$ref": "./signal-body.v1.json#/properties/verdict"
      },
      "orderIds": {
        "$ref": "./signal-body.v1.json#/properties/orderIds"
      },
      "code": {
        "$ref": "./signal-body.v1.json#/properties/code"
      },
      "rule": {
        "$ref": "./signal-body.v1.json#/properties/rule"
      },
      "observed": {
        "$ref": "./signal-body.v1.json#/properties/observed"
      },
      "limit": {
        "$ref": "./signal-body.v1.json#/properties/limit"
      },
      "kind": {
        "$ref": "./signal-body.v1.json#/properties/kind"
      },
      "source": {
        "$ref": "./signal-body.v1.json#/properties/source"
      },
      "symbol": {
        "$ref": "./signal-body.v1.json#/properties/symbol"
      },
      "side": {
        "$ref": "./signal-body.v1.json#/properties/side"
      },
      "type": {
        "$ref": "./signal-body.v1.json#/properties/type"
      },
      "qty": {
        "$ref": "./signal-body.v1.json#/properties/qty"
      },
      "notional": {
        "$ref": "./signal-body.v1.json#/properties/notional"
      },
      "limitPrice": {
        "$ref": "./signal-body.v1.json#/properties/limitPrice"
      },
      "stopPrice": {
        "$ref": "./signal-body.v1.json#/properties/stopPrice"
      },
      "approvedQty": {
        "$ref": "./signal-body.v1.json#/properties/approvedQty"
      },
      "reason": {
        "$ref": "./signal-body.v1.json#/properties/reason"
      },
      "at": {
        "$ref": "./signal-body.v1.json#/properties/at"
      },
      "entry": {
        "$ref": "./signal-body.v1.json#/properties/entry"
      },
      "checks": {
        "$ref": "../risk/risk-verdict.v1.json#/properties/checks"
      }
    },
    "required": [
      "position",
      "signalId",
      "verdict",
      "orderIds",
      "code",
      "rule",
      "observed",
      "limit",
      "kind",
      "source",
      "symbol",
      "side",
      "type",
      "qty",
      "notional",
      "limitPrice",
      "stopPrice",
      "approvedQty",
      "reason",
      "at",
      "entry",
      "checks"
    ],
    "additionalProperties": false
  },
  'signal-list': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/signal-list.v1.json",
    "title": "SignalList",
    "description": "Signals",
    "type": "object",
    "properties": {
      "position": {
        "type": "integer",
        "description": "Position of the book that the answer belongs to; -1: it is empty",
        "minimum": -1
      },
      "items": {
        "type": "array",
        "items": {
          "$ref": "./signal-body.v1.json"
        },
        "description": "One page"
      },
      "next": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "description": "Cursor of the next page; null: this is the last"
      }
    },
    "required": [
      "position",
      "items",
      "next"
    ],
    "additionalProperties": false
  },
  'status-body': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/status-body.v1.json",
    "title": "StatusBody",
    "description": "What runs, whether it may trade, and how much it has seen",
    "type": "object",
    "properties": {
      "position": {
        "type": "integer",
        "description": "Position of the book that the answer belongs to; -1: it is empty",
        "minimum": -1
      },
      "at": {
        "anyOf": [
          {
            "$ref": "../common.json#/$defs/Timestamp"
          },
          {
            "type": "null"
          }
        ],
        "description": "Engine time of the last input; null before the first"
      },
      "bookId": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "description": "Id of the book; null before its first entry"
      },
      "account": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "description": "Name of the account; null likewise"
      },
      "trading": {
        "type": "object",
        "description": "Whether it may trade, and why",
        "properties": {
          "state": {
            "enum": [
              "ACTIVE",
              "REDUCING",
              "HALTED"
            ],
            "description": "ACTIVE trades, REDUCING only closes, HALTED sends nothing"
          },
          "code": {
            "type": "string",
            "description": "Stable code of what led to it; started: nothing did"
          },
          "observed": {
            "anyOf": [
              {
                "type": "string"
              },
              {
                "type": "null"
              }
            ],
            "description": "What was seen"
          },
          "limit": {
            "anyOf": [
              {
                "type": "string"
              },
              {
                "type": "null"
              }
            ],
            "description": "What is allowed"
          },
          "actor": {
            "anyOf": [
              {
                "type": "string"
              },
              {
                "type": "null"
              }
            ],
            "description": "Who asked, or engine"
          },
          "reason": {
            "anyOf": [
              {
                "type": "string"
              },
              {
                "type": "null"
              }
            ],
            "description": "Why, in words"
          },
          "since": {
            "anyOf": [
              {
                "$ref": "../common.json#/$defs/Timestamp"
              },
              {
                "type": "null"
              }
            ],
            "description": "Engine time of the change"
          }
        },
        "required": [
          "state",
          "code",
          "observed",
          "limit",
          "actor",
          "reason",
          "since"
        ],
        "additionalProperties": false
      },
      "counts": {
        "type": "object",
        "description": "How much the book holds",
        "properties": {
          "bars": {
            "type": "integer",
            "description": "Bars",
            "minimum": 0
          },
          "orders": {
            "type": "integer",
            "description": "Orders",
            "minimum": 0
          },
          "openOrders": {
            "type": "integer",
            "description": "Orders that work now",
            "minimum": 0
          },
          "fills": {
            "type": "integer",
            "description": "Fills",
            "minimum": 0
          },
          "signals": {
            "type": "integer",
            "description": "Signals",
            "minimum": 0
          },
          "approved": {
            "type": "integer",
            "description": "Verdicts that approved",
            "minimum": 0
          },
          "denied": {
            "type": "integer",
            "description": "Signals denied, refused inputs with an id included",
            "minimum": 0
          },
          "refusedInputs": {
            "type": "integer",
            "description": "Inputs that did not parse, validate or verify",
            "minimum": 0
          },
          "gaps": {
            "type": "integer",
            "description": "Times that inputs were found missing which NATS may have confirmed",
            "minimum": 0
          },
          "anomalies": {
            "type": "integer",
            "description": "Reports that an order could not take from its state",
            "minimum": 0
          },
          "controls": {
            "type": "integer",
            "description": "Controls used",
            "minimum": 0
          },
          "starts": {
            "type": "integer",
            "description": "Times an engine took over the book",
            "minimum": 0
          }
        },
        "required": [
          "bars",
          "orders",
          "openOrders",
          "fills",
          "signals",
          "approved",
          "denied",
          "refusedInputs",
          "gaps",
          "anomalies",
          "controls",
          "starts"
        ],
        "additionalProperties": false
      },
      "lastBars": {
        "type": "array",
        "items": {
          "type": "object",
          "properties": {
            "symbol": {
              "$ref": "../common.json#/$defs/Symbol",
              "description": "Ticker"
            },
            "timeframe": {
              "$ref": "../common.json#/$defs/Timeframe",
              "description": "Length of a bar"
            },
            "time": {
              "$ref": "../common.json#/$defs/Timestamp",
              "description": "Start of the bar"
            },
            "close": {
              "$ref": "../common.json#/$defs/Decimal",
              "description": "Last price"
            }
          },
          "required": [
            "symbol",
            "timeframe",
            "time",
            "close"
          ],
          "additionalProperties": false
        },
        "description": "Newest bar of each symbol"
      },
      "run": {
        "anyOf": [
          {
            "type": "object",
            "properties": {
              "run": {
                "type": "string",
                "description": "Random id of the run"
              },
              "codeHash": {
                "type": "string",
                "description": "sha256 over the sources of engine and schemas"
              },
              "engineVersion": {
                "type": "string",
                "description": "Version of the package"
              },
              "nodeVersion": {
                "type": "string",
                "description": "Version of Node"
              },
              "startedAt": {
                "$ref": "../common.json#/$defs/Timestamp",
                "description": "Engine time"
              }
            },
            "required": [
              "run",
              "codeHash",
              "engineVersion",
              "nodeVersion",
              "startedAt"
            ],
            "additionalProperties": false
          },
          {
            "type": "null"
          }
        ],
        "description": "The engine that last took over the book; null before the first"
      },
      "settings": {
        "anyOf": [
          {
            "$ref": "../config/chain-settings.v1.json"
          },
          {
            "type": "null"
          }
        ],
        "description": "Settings in force; null before the first start"
      }
    },
    "required": [
      "position",
      "at",
      "bookId",
      "account",
      "trading",
      "counts",
      "lastBars",
      "run",
      "settings"
    ],
    "additionalProperties": false
  },
  'strategy-body': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/strategy-body.v1.json",
    "title": "StrategyBody",
    "description": "One source of signals",
    "type": "object",
    "properties": {
      "source": {
        "type": "string",
        "description": "strategy:<name>, operator:<name>, engine or unknown"
      },
      "running": {
        "type": "boolean",
        "description": "Whether it is a strategy that runs now"
      },
      "params": {
        "anyOf": [
          {
            "type": "object"
          },
          {
            "type": "null"
          }
        ],
        "description": "Parameters of a strategy that runs"
      },
      "signals": {
        "type": "integer",
        "description": "Signals raised or sent",
        "minimum": 0
      },
      "approved": {
        "type": "integer",
        "description": "Verdicts that approved",
        "minimum": 0
      },
      "denied": {
        "type": "integer",
        "description": "Verdicts that denied",
        "minimum": 0
      },
      "orders": {
        "type": "integer",
        "description": "Orders intended",
        "minimum": 0
      },
      "fills": {
        "type": "integer",
        "description": "Executions",
        "minimum": 0
      },
      "lastSignalAt": {
        "anyOf": [
          {
            "$ref": "../common.json#/$defs/Timestamp"
          },
          {
            "type": "null"
          }
        ],
        "description": "Engine time of the newest signal"
      },
      "lastDenial": {
        "anyOf": [
          {
            "type": "object",
            "properties": {
              "code": {
                "type": "string",
                "description": "Stable code"
              },
              "rule": {
                "anyOf": [
                  {
                    "type": "string"
                  },
                  {
                    "type": "null"
                  }
                ],
                "description": "Rule that denied"
              }
            },
            "required": [
              "code",
              "rule"
            ],
            "additionalProperties": false
          },
          {
            "type": "null"
          }
        ],
        "description": "Why the newest denied signal was denied"
      },
      "realizedPnl": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Closed round trips, both sides' fees taken off"
      },
      "trades": {
        "type": "integer",
        "description": "Closed round trips",
        "minimum": 0
      },
      "wins": {
        "type": "integer",
        "description": "Those that gained",
        "minimum": 0
      },
      "losses": {
        "type": "integer",
        "description": "Those that lost; the rest broke even",
        "minimum": 0
      },
      "fees": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Both sides' fees of the closed round trips"
      }
    },
    "required": [
      "source",
      "running",
      "params",
      "signals",
      "approved",
      "denied",
      "orders",
      "fills",
      "lastSignalAt",
      "lastDenial",
      "realizedPnl",
      "trades",
      "wins",
      "losses",
      "fees"
    ],
    "additionalProperties": false
  },
  'strategy-list': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/api/strategy-list.v1.json",
    "title": "StrategyList",
    "description": "Who asks for orders",
    "type": "object",
    "properties": {
      "position": {
        "type": "integer",
        "description": "Position of the book that the answer belongs to; -1: it is empty",
        "minimum": -1
      },
      "items": {
        "type": "array",
        "items": {
          "$ref": "./strategy-body.v1.json"
        },
        "description": "All of them"
      },
      "next": {
        "type": "null",
        "description": "There is one page"
      }
    },
    "required": [
      "position",
      "items",
      "next"
    ],
    "additionalProperties": false
  },
  'chain-settings': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/config/chain-settings.v1.json",
    "title": "ChainSettings",
    "description": "Everything that decides what the chain decides",
    "type": "object",
    "properties": {
      "feed": {
        "enum": [
          "historical",
          "realtime"
        ],
        "description": "historical: engine time is the clock of the data; realtime: the wall clock"
      },
      "timeframe": {
        "$ref": "../common.json#/$defs/Timeframe"
      },
      "symbols": {
        "type": "array",
        "items": {
          "$ref": "../common.json#/$defs/Symbol",
          "description": "Ticker"
        },
        "description": "Symbols that may be traded; empty: every symbol that has a bar"
      },
      "strategies": {
        "type": "array",
        "description": "Strategies, in the order they are asked",
        "items": {
          "type": "object",
          "properties": {
            "name": {
              "type": "string",
              "description": "Name of the strategy"
            },
            "params": {
              "type": "object",
              "description": "Its parameters",
              "additionalProperties": {
                "type": [
                  "string",
                  "number",
                  "boolean"
                ]
              }
            }
          },
          "required": [
            "name",
            "params"
          ],
          "additionalProperties": false
        }
      },
      "risk": {
        "anyOf": [
          {
            "$ref": "./risk-limits.v1.json"
          },
          {
            "type": "null"
          }
        ],
        "description": "Limits; null: no limits"
      },
      "exchange": {
        "$ref": "./exchange-settings.v1.json"
      }
    },
    "required": [
      "feed",
      "timeframe",
      "symbols",
      "strategies",
      "risk",
      "exchange"
    ],
    "additionalProperties": false
  },
  'exchange-settings': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/config/exchange-settings.v1.json",
    "title": "ExchangeSettings",
    "description": "How the simulated exchange fills",
    "type": "object",
    "properties": {
      "cash": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Cash to begin with"
      },
      "fill": {
        "enum": [
          "next-open",
          "same-close"
        ],
        "description": "When market orders fill"
      },
      "limitFill": {
        "enum": [
          "touch",
          "through"
        ],
        "description": "Whether a limit fills when touched, or only when traded through"
      },
      "participation": {
        "type": "number",
        "minimum": 0,
        "maximum": 1,
        "description": "Share of a bar's volume an order may take; 0: no limit"
      },
      "slippageBps": {
        "type": "number",
        "minimum": 0,
        "maximum": 10000,
        "description": "Slippage against the order, basis points of the price"
      },
      "commission": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Commission as a fraction of value"
      },
      "feePerShare": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Commission per share"
      },
      "feeMin": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Smallest commission of a fill when charged per share"
      },
      "trail": {
        "enum": [
          "extreme",
          "close"
        ],
        "description": "Price of a bar that moves trailing stops: its high or low, or its close; extreme when left out"
      },
      "spreadBps": {
        "type": "number",
        "minimum": 0,
        "maximum": 10000,
        "description": "Spread assumed where only bars are known, basis points of the price; half of it goes against market and stop orders"
      },
      "impactBps": {
        "type": "number",
        "minimum": 0,
        "maximum": 100000,
        "description": "Price impact of an order as large as its bar's volume, basis points; it grows with the square root of order ÷ volume"
      },
      "regulatoryFees": {
        "enum": [
          "none",
          "us-equity"
        ],
        "description": "Fees of SEC and FINRA on sales, by date"
      },
      "borrowRate": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Yearly rate paid on the value of short positions, as a fraction; charged per calendar day on the close"
      },
      "shorts": {
        "enum": [
          "all",
          "none",
          "listed"
        ],
        "description": "What may be sold short: everything, nothing, or the symbols of shortable"
      },
      "shortable": {
        "type": "array",
        "items": {
          "$ref": "../common.json#/$defs/Symbol"
        },
        "uniqueItems": true,
        "description": "Symbols that may be sold short, with shorts of listed"
      },
      "multiplier": {
        "enum": [
          1,
          2,
          4
        ],
        "description": "Checks buying power: 1 cash, 2 overnight margin, 4 intraday margin. Left out: unlimited"
      },
      "washTrades": {
        "enum": [
          "allow",
          "refuse"
        ],
        "description": "Whether an order that could trade with one of its own is refused"
      },
      "rules": {
        "enum": [
          "open",
          "alpaca"
        ],
        "description": "Which orders are taken: all that can be simulated, or those that Alpaca takes"
      },
      "sessions": {
        "enum": [
          "none",
          "us-equity",
          "crypto"
        ],
        "description": "Trading hours that orders keep to: none, those of the New York exchanges, or the UTC day"
      }
    },
    "required": [
      "cash",
      "fill",
      "limitFill",
      "participation",
      "slippageBps",
      "commission",
      "feePerShare",
      "feeMin"
    ],
    "additionalProperties": false
  },
  'risk-limits': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/config/risk-limits.v1.json",
    "title": "RiskLimits",
    "description": "Limits that every order must keep. A limit left out is not checked",
    "type": "object",
    "properties": {
      "maxOrderNotional": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Largest value of one order, in the account currency"
      },
      "maxPosition": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Largest position in one symbol, in shares, long or short, working orders included"
      },
      "maxGrossExposure": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Largest sum of absolute position values and working orders, as a multiple of equity"
      },
      "priceCollar": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Largest distance of a limit or stop price from the last close, as a fraction of it"
      },
      "maxDailyLoss": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Largest loss since the day's first equity, as a fraction of it; beyond it the state becomes REDUCING"
      },
      "maxDrawdown": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Largest fall of equity from its peak, as a fraction of it; beyond it the state becomes HALTED"
      }
    },
    "required": [],
    "additionalProperties": false
  },
  'control-command': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/control/control-command.v1.json",
    "title": "ControlCommand",
    "description": "What an operator publishes on control.<action>",
    "type": "object",
    "properties": {
      "actor": {
        "type": "string",
        "description": "Who: letters, digits, _ and -, at most 64",
        "pattern": "^[A-Za-z0-9_-]{1,64}$"
      },
      "reason": {
        "type": "string",
        "description": "Why",
        "minLength": 1,
        "maxLength": 1000
      },
      "orderId": {
        "type": "integer",
        "minimum": 1,
        "description": "cancel-order, replace-order: number of the order"
      },
      "qty": {
        "type": "string",
        "pattern": "^(?=.*[1-9])\\d{1,15}(\\.\\d{1,9})?$",
        "description": "replace-order: whole quantity, what is filled included"
      },
      "limitPrice": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "replace-order: limit price"
      },
      "stopPrice": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "replace-order: stop price"
      },
      "trailAmount": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "replace-order: distance of a trailing stop, money"
      },
      "trailPercent": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "replace-order: distance of a trailing stop, percent"
      },
      "timeInForce": {
        "enum": [
          "day",
          "gtc",
          "ioc",
          "fok",
          "opg",
          "cls"
        ],
        "description": "replace-order: how long it stands"
      }
    },
    "required": [
      "actor",
      "reason"
    ],
    "additionalProperties": false
  },
  'manual-signal': {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://bitacora.dev/schemas/signal/manual-signal.v1.json",
    "title": "ManualSignal",
    "description": "What an operator publishes on signals.manual.<operator>",
    "type": "object",
    "properties": {
      "symbol": {
        "type": "string",
        "minLength": 1,
        "maxLength": 32,
        "description": "Ticker"
      },
      "side": {
        "enum": [
          "buy",
          "sell",
          "close"
        ],
        "description": "What is wanted"
      },
      "qty": {
        "$ref": "../common.json#/$defs/Quantity",
        "description": "Shares"
      },
      "notional": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Value instead of shares"
      },
      "fractional": {
        "type": "boolean",
        "description": "Let notional buy fractions of a share, to the ninth decimal; market orders of day only"
      },
      "type": {
        "enum": [
          "market",
          "limit",
          "stop"
        ],
        "description": "Order to place; market when left out"
      },
      "limitPrice": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Limit price"
      },
      "stopPrice": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Stop price"
      },
      "timeInForce": {
        "enum": [
          "day",
          "gtc"
        ],
        "description": "How long the order, and its exits, stand; gtc with exits, else day, when left out"
      },
      "takeProfit": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Limit price of an exit with a gain, placed with the entry"
      },
      "stopLoss": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Stop price of an exit with a loss, placed with the entry"
      },
      "trailPercent": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Distance of a trailing exit in place of stopLoss, percent of the best price"
      },
      "confidence": {
        "type": "number",
        "minimum": 0,
        "maximum": 1,
        "description": "Confidence of the operator"
      },
      "reason": {
        "type": "string",
        "description": "Why, in words",
        "maxLength": 1000
      },
      "validFor": {
        "type": "string",
        "description": "ISO 8601 duration; PT1M when left out",
        "pattern": "^P(?=.)(\\d+D)?(T(?=.)(\\d+H)?(\\d+M)?(\\d+(\\.\\d+)?S)?)?$"
      }
    },
    "required": [
      "symbol",
      "side"
    ],
    "additionalProperties": false
  },
}
