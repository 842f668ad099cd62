import { Problem } from './problem.ts'

/** As Allow lists them. */
const ORDER = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

/** Which methods each address offers, to tell a wrong method from a wrong address. */
export class RouteTable {
  readonly #routes = new Map<string, { pattern: RegExp; methods: Set<string> }>()

  /** `url` as the router takes it: `/orders/:id`. */
  add(method: string | readonly string[], url: string): void {
    let route = this.#routes.get(url)
    if (route === undefined) {
      const parts = url
        .split('/')
        .map((part) =>
          part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'),
        )
      route = { pattern: new RegExp(`^${parts.join('/')}$`), methods: new Set() }
      this.#routes.set(url, route)
    }
    for (const one of [method].flat()) route.methods.add(one)
  }

  /** What a request that no route took is told. */
  refusal(url: string): Problem {
    const path = url.split('?', 1)[0] ?? ''
    const methods = [...this.#routes.values()]
      .filter(({ pattern }) => pattern.test(path))
      .flatMap((route) => [...route.methods])
    if (methods.length === 0) {
      return new Problem('not-found', 'there is no such address; /openapi.json lists them all')
    }
    const rank = (method: string): number => ORDER.indexOf(method)
    const allow = [...new Set(methods)].sort((a, b) => rank(a) - rank(b)).join(', ')
    return new Problem('method-not-allowed', `this address offers ${allow}`, { headers: { allow } })
  }
}
