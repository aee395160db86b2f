import { LRUCache } from "lru-cache";
import type { Adapter, AdapterPayload } from "oidc-provider";

const MAX_ENTRIES = 2_000;

type Store = LRUCache<string, AdapterPayload>;

/** Where the development issuer keeps its codes and logins: in memory, bounded, gone with the process. */
export function memoryAdapter(): (model: string) => Adapter {
  const store: Store = new LRUCache({ max: MAX_ENTRIES, ttl: 600_000 });
  return (model) => makeAdapter(store, model);
}

function makeAdapter(store: Store, model: string): Adapter {
  const key = (id: string) => `${model}:${id}`;
  const findBy = (test: (payload: AdapterPayload) => boolean): AdapterPayload | undefined => {
    for (const [name, payload] of store.entries()) if (name.startsWith(`${model}:`) && test(payload)) return payload;
    return undefined;
  };
  return {
    upsert: async (id, payload, expiresIn) => {
      store.set(key(id), payload, { ttl: Math.max(1, expiresIn || 600) * 1000 });
    },
    find: async (id) => store.get(key(id)),
    findByUid: async (uid) => findBy((payload) => payload.uid === uid),
    findByUserCode: async (userCode) => findBy((payload) => payload.userCode === userCode),
    consume: async (id) => {
      const payload = store.get(key(id));
      if (payload !== undefined) store.set(key(id), { ...payload, consumed: Math.floor(Date.now() / 1000) });
    },
    destroy: async (id) => {
      store.delete(key(id));
    },
    revokeByGrantId: async (grantId) => {
      for (const [name, payload] of store.entries()) if (payload.grantId === grantId) store.delete(name);
    },
  };
}
