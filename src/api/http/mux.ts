/**
 * Finds the route of a path. The rules are those of Go's first ServeMux, which the API's paths were designed on: an exact
 * path wins, then the longest route ending in `/` that is a prefix; a path that only lacks the final `/` of such a route
 * is redirected to it.
 *
 * Works on decoded paths, which is why no general router is used: those match before they decode and decode what they
 * matched once more, and a key named `a%20b` would come out wrong.
 */
import { assert } from '../../std/assert.ts';
import type { Route } from './route.ts';

export type Match = { readonly route: Route } | { readonly redirectTo: string } | undefined;

export class Mux {
  readonly #routes = new Map<string, Route>();
  /** Paths that only lack the final slash of a route. */
  readonly #slashless = new Set<string>();

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      assert(route.path.startsWith('/'), `route ${route.path} must start with a slash`);
      assert(!this.#routes.has(route.path), `two routes for ${route.path}`);
      this.#routes.set(route.path, route);
      if (route.path.endsWith('/')) this.#slashless.add(route.path.slice(0, -1));
    }
  }

  /** `path` is decoded and clean. */
  find(path: string): Match {
    const exact = this.#routes.get(path);
    if (exact !== undefined) return { route: exact };
    if (this.#slashless.has(path)) return { redirectTo: `${path}/` };
    for (let slash = path.lastIndexOf('/'); slash >= 0; slash = path.lastIndexOf('/', slash - 1)) {
      const route = this.#routes.get(path.slice(0, slash + 1));
      if (route !== undefined) return slash === 0 && path !== '/' ? undefined : { route };
      if (slash === 0) return undefined;
    }
    return undefined;
  }

  paths(): string[] {
    return [...this.#routes.keys()].sort();
  }
}
