// Shows /openapi.json. All text of the document goes in as text, never as markup.

const MAX_DEPTH = 6

let spec

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...children.filter((child) => child !== null))
  return made
}

/** Text in which backticks mark code. */
function inline(text) {
  return text.split('`').map((part, index) => (index % 2 === 1 ? element('code', {}, part) : part))
}

/** The same in paragraphs, with an empty line between them. */
function prose(text) {
  return text.split('\n\n').map((paragraph) => element('p', {}, ...inline(paragraph)))
}

function resolve(schema) {
  const { $ref, ...rest } = schema
  if ($ref === undefined) return schema
  const found = $ref
    .slice(2)
    .split('/')
    .reduce((node, key) => node?.[key], spec)
  return { ...found, ...rest }
}

/** A schema's kind in a few words. */
function kind(schema) {
  const found = resolve(schema)
  if (found.const !== undefined) return JSON.stringify(found.const)
  if (found.enum !== undefined) return found.enum.map((value) => JSON.stringify(value)).join(' | ')
  const union = found.anyOf ?? found.oneOf
  if (union !== undefined) return [...new Set(union.map(kind))].join(' | ')
  if (found.type === 'array') return `list of ${kind(found.items ?? {})}`
  const types = [found.type ?? 'any'].flat().join(' | ')
  const bounds = [
    found.minimum === undefined ? null : `≥ ${found.minimum}`,
    found.maximum === undefined || found.maximum === Number.MAX_SAFE_INTEGER
      ? null
      : `≤ ${found.maximum}`,
    found.format ?? null,
  ].filter((bound) => bound !== null)
  return bounds.length === 0 ? types : `${types} ${bounds.join(', ')}`
}

/** The fields that lie below a schema, through lists and alternatives; null when it has none. */
function inner(schema) {
  const found = resolve(schema)
  if (found.properties !== undefined) return found
  if (found.items !== undefined) return inner(found.items)
  for (const one of found.anyOf ?? found.oneOf ?? []) {
    const below = inner(one)
    if (below !== null) return below
  }
  return null
}

function fields(schema, depth = 0) {
  const below = inner(schema)
  if (below === null || depth > MAX_DEPTH) return null
  const required = new Set(below.required ?? [])
  const rows = Object.entries(below.properties).map(([name, field]) => {
    const more = inner(field)
    const label = element('code', required.has(name) ? { class: 'required' } : {}, name)
    const about = element('td', {}, ...inline(resolve(field).description ?? ''))
    if (more !== null && depth < MAX_DEPTH) {
      const details = element('details', {}, element('summary', {}, 'fields'))
      // Made when it is opened: a schema may contain itself.
      details.addEventListener(
        'toggle',
        () => details.append(element('div', { class: 'nested' }, fields(field, depth + 1) ?? '')),
        { once: true },
      )
      about.append(details)
    }
    return element(
      'tr',
      {},
      element('td', {}, label),
      element('td', {}, element('code', {}, kind(field))),
      about,
    )
  })
  return element(
    'table',
    {},
    element(
      'thead',
      {},
      element('tr', {}, ...['Field', 'Type', 'Meaning'].map((text) => element('th', {}, text))),
    ),
    element('tbody', {}, ...rows),
  )
}

function parameterTable(parameters) {
  const rows = parameters.map(({ name, in: place, required, description, schema }) =>
    element(
      'tr',
      {},
      element('td', {}, element('code', required ? { class: 'required' } : {}, name)),
      element('td', { class: 'short' }, place),
      element('td', {}, element('code', {}, kind(schema))),
      element('td', {}, ...inline(description ?? '')),
    ),
  )
  return element(
    'table',
    {},
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        ...['Parameter', 'In', 'Type', 'Meaning'].map((text) => element('th', {}, text)),
      ),
    ),
    element('tbody', {}, ...rows),
  )
}

const EXAMPLES = { id: '1', action: 'halt' }

function curl(method, path, operation) {
  const address = path.replace(/\{(\w+)\}/g, (_, name) => EXAMPLES[name] ?? name)
  const lines = [`curl -s '${location.origin}${address}${method === 'get' ? '' : '?wait=2s'}'`]
  if (path === '/stream') lines[0] = `curl -sN '${location.origin}/stream?from=0'`
  if (method === 'delete') lines.push('-X DELETE')
  const body = operation.requestBody?.content?.['application/json']
  if (body !== undefined) {
    lines.push("-H 'Idempotency-Key: my-first'", "-H 'Content-Type: application/json'")
    const [example] = Object.values(body.examples ?? {})
    lines.push(`-d '${JSON.stringify(example?.value ?? {})}'`)
  }
  return element('pre', {}, element('code', {}, lines.join(' \\\n  ')))
}

function responses(operation) {
  const rows = Object.entries(operation.responses).map(([status, answer]) => {
    const [type, media] = Object.entries(answer.content ?? {})[0] ?? []
    const about = element('td', {}, ...inline(answer.description))
    const table =
      media?.schema === undefined || type.includes('problem') ? null : fields(media.schema)
    if (table !== null) {
      about.append(element('details', {}, element('summary', {}, 'body'), table))
    }
    const headers = Object.entries(answer.headers ?? {})
    for (const [name, { description }] of headers) {
      about.append(
        element('div', { class: 'quiet' }, element('code', {}, name), `: ${description ?? ''}`),
      )
    }
    return element(
      'tr',
      {},
      element('td', {}, status),
      element('td', { class: 'short' }, element('code', {}, type ?? '')),
      about,
    )
  })
  return element(
    'table',
    {},
    element(
      'thead',
      {},
      element('tr', {}, ...['Status', 'Content', 'Meaning'].map((text) => element('th', {}, text))),
    ),
    element('tbody', {}, ...rows),
  )
}

function show(method, path, operation) {
  const section = element('section', { class: 'operation', id: operation.operationId })
  const heading = element(
    'h3',
    {},
    element('span', { class: `method ${method}` }, method.toUpperCase()),
    ` ${path}`,
  )
  section.append(heading, element('p', { class: 'summary' }, ...inline(operation.summary)))
  if (operation.description !== undefined) section.append(...prose(operation.description))
  const scope = operation.security?.[0]?.token?.[0]
  const need = scope === undefined ? 'Needs no token.' : `With tokens: scope ${scope}.`
  section.append(element('p', { class: 'quiet' }, need))
  section.append(curl(method, path, operation))
  if (operation.parameters?.length > 0) {
    section.append(element('h4', {}, 'Parameters'), parameterTable(operation.parameters))
  }
  const body = operation.requestBody?.content?.['application/json']
  if (body !== undefined) section.append(element('h4', {}, 'Body'), fields(body.schema) ?? '')
  section.append(element('h4', {}, 'Answers'), responses(operation))
  return section
}

function operations() {
  return Object.entries(spec.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ method, path, operation })),
  )
}

function build() {
  const all = operations()
  const content = document.getElementById('content')
  const index = document.getElementById('index')
  const { title, version, description } = spec.info
  content.replaceChildren(
    element('h1', {}, `${title} ${version}`),
    ...prose(description),
    element(
      'p',
      {},
      element('a', { href: '/openapi.json' }, 'OpenAPI document'),
      ' · ',
      element('a', { href: '/asyncapi.json' }, 'AsyncAPI document of the subjects on NATS'),
      ' · ',
      element('a', { href: '/problems' }, 'kinds of problems'),
    ),
  )
  for (const { name, description: about } of spec.tags) {
    const members = all.filter(({ operation }) => operation.tags[0] === name)
    content.append(element('h2', { class: 'group' }, name), element('p', {}, ...inline(about)))
    const list = element('ul', {})
    for (const { method, path, operation } of members) {
      content.append(show(method, path, operation))
      const link = element(
        'a',
        { href: `#${operation.operationId}` },
        element('span', { class: `method ${method}` }, method.toUpperCase()),
        path,
      )
      const words = `${method} ${path} ${operation.summary}`.toLowerCase()
      list.append(element('li', { 'data-words': words }, link))
    }
    index.append(element('h2', {}, name), list)
  }
  content.removeAttribute('aria-busy')
  // The browser looked for the place before it was there.
  if (location.hash !== '') document.getElementById(location.hash.slice(1))?.scrollIntoView()
}

document.getElementById('filter').addEventListener('input', ({ target }) => {
  const wanted = target.value.trim().toLowerCase()
  for (const item of document.querySelectorAll('nav li')) {
    item.hidden = !item.dataset.words.includes(wanted)
  }
})

try {
  const response = await fetch('/openapi.json')
  if (!response.ok) throw new Error(`the engine answers ${response.status}`)
  spec = await response.json()
  build()
} catch (error) {
  document.getElementById('state').textContent = `/openapi.json cannot be shown: ${error.message}`
}
