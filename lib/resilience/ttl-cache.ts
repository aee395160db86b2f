/** Values that may be at most `ttlMs` old. Loads of one key in flight are shared; failures are not kept. */
export type TtlCache<K, V> = {
  /** The value, from the cache or loaded. Synchronous on a hit, so that a hit costs no turn of the loop. */
  readonly get: (key: K) => V | Promise<V>;
  readonly drop: (key: K) => void;
  readonly clear: () => void;
  readonly size: () => number;
};

type Options<K, V> = {
  readonly ttlMs: number;
  readonly max: number;
  readonly now: () => number;
  readonly load: (key: K) => Promise<V>;
};

/** A bounded cache; when full, the oldest entry makes room. */
export function makeTtlCache<K, V>({ ttlMs, max, now, load }: Options<K, V>): TtlCache<K, V> {
  const entries = new Map<K, { readonly value: V; readonly freshUntil: number }>();
  const loading = new Map<K, Promise<V>>();

  function start(key: K): Promise<V> {
    // The age counts from before the load: what the store said then may have changed while we waited.
    const askedAt = now();
    const promise = load(key).then(
      (value) => {
        // A drop during the load means the value may be older than the change that caused the drop.
        if (loading.get(key) === promise) {
          loading.delete(key);
          const oldest = entries.size >= max ? entries.keys().next() : null;
          if (oldest !== null && !oldest.done) entries.delete(oldest.value);
          entries.set(key, { value, freshUntil: askedAt + ttlMs });
        }
        return value;
      },
      (cause: unknown) => {
        if (loading.get(key) === promise) loading.delete(key);
        throw cause;
      },
    );
    loading.set(key, promise);
    return promise;
  }

  return {
    get(key) {
      const entry = entries.get(key);
      if (entry !== undefined) {
        if (now() < entry.freshUntil) return entry.value;
        entries.delete(key);
      }
      return loading.get(key) ?? start(key);
    },
    drop(key) {
      entries.delete(key);
      loading.delete(key);
    },
    clear() {
      entries.clear();
      loading.clear();
    },
    size: () => entries.size,
  };
}
