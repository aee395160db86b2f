type Store = Map<string, unknown>;

const KEY = Symbol.for("countersign.singletons");

/**
 * One value per process. The server bundle and Next's bundles each evaluate a module of their own,
 * so module-level state would exist several times; `globalThis` is what they share.
 */
export function singleton<T>(name: string, make: () => T): T {
  const root = globalThis as { [KEY]?: Store };
  const store = root[KEY] ?? new Map<string, unknown>();
  root[KEY] = store;
  if (!store.has(name)) store.set(name, make());
  return store.get(name) as T;
}

/** Forgets a singleton, so that a test can start again. */
export function resetSingleton(name: string): void {
  (globalThis as { [KEY]?: Store })[KEY]?.delete(name);
}
