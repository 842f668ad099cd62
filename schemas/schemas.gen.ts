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
          "flatten"
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
          "close"
        ],
        "description": "Order type"
      },
      "qty": {
        "$ref": "../common.json#/$defs/Quantity",
        "description": "Shares"
      },
      "limitPrice": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Limit price"
      },
      "stopPrice": {
        "$ref": "../common.json#/$defs/Decimal",
        "description": "Stop price"
      },
      "timeInForce": {
        "enum": [
          "day",
          "gtc"
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
            "$ref": "../common.json#/$defs/Quantity"
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
                  "stop"
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
              "timeInForce": {
                "enum": [
                  "day",
                  "gtc"
                ],
                "description": "How long it stands"
              },
              "symbol": {
                "$ref": "../common.json#/$defs/Symbol",
                "description": "Ticker"
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
        "description": "Limit price"
      },
      "stopLoss": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Limit price"
      },
      "trailPercent": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Limit price"
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
          "close"
        ],
        "description": "Order type"
      },
      "qty": {
        "$ref": "../common.json#/$defs/Quantity",
        "description": "Shares; \"all\" until such an order has filled"
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
          "accepted",
          "partially_filled",
          "filled",
          "canceled",
          "expired",
          "rejected",
          "withheld"
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
          "gtc"
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
        "description": "How long the order stands"
      },
      "takeProfit": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Price to take profit at; not supported yet: the signal is denied"
      },
      "stopLoss": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Price to stop a loss at; not supported yet: the signal is denied"
      },
      "trailPercent": {
        "$ref": "../common.json#/$defs/PositiveDecimal",
        "description": "Distance of a trailing stop, percent; not supported yet: the signal is denied"
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
