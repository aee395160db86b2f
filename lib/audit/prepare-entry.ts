import { sha256Hex } from "@/lib/audit/chain";
import type { EntryDraft } from "@/lib/audit/entry";
import { GATEWAY_VERSION, gatewayId } from "@/lib/audit/gateway-identity";
import { isoMicros, nowMicros } from "@/lib/audit/micro-time";
import { encodePayload } from "@/lib/audit/payload";
import { toRecordFields } from "@/lib/audit/record";
import { type RecordText, toRecordText } from "@/lib/audit/record-text";
import { type SearchColumns, toSearchColumns } from "@/lib/audit/search-columns";
import { AppError } from "@/lib/core/errors";
import { isUuid, newId } from "@/lib/core/ids";
import { seal, sealNow } from "@/lib/db/tenant-keys";

/** An entry that lacks only its place in the chain. */
export type PreparedEntry = {
  readonly tenantId: string;
  readonly eventId: string;
  readonly ts: string;
  /** The same moment in microseconds since 1970. */
  readonly micros: number;
  /** As it was given: a closing entry repeats most of it. */
  readonly draft: EntryDraft;
  readonly text: RecordText;
  readonly columns: SearchColumns;
  readonly payload: Uint8Array | null;
  /** About how much memory and wire it takes. */
  readonly bytes: number;
};

type Sealed = { readonly keyId: string; readonly sealed: Uint8Array };

/** Binds sealed bytes to the entry they belong to, so that they cannot be moved to another. */
export const payloadAad = (tenantId: string, eventId: string): string => `${tenantId}|${eventId}`;

/** Turns a draft into bytes; everything that can be done outside of the chain's lock. Synchronous once the tenant's key is loaded. */
export function prepareEntry(draft: EntryDraft): PreparedEntry | Promise<PreparedEntry> {
  requireUuids(draft);
  const eventId = draft.eventId ?? newId();
  const micros = nowMicros();
  const plain = encodePayload(draft.payload);
  if (plain === null) return finish(draft, eventId, micros, null);
  const aad = payloadAad(draft.tenantId, eventId);
  const sealed = sealNow(draft.tenantId, "payload", aad, plain);
  if (sealed !== null) return finish(draft, eventId, micros, sealed);
  return seal(draft.tenantId, "payload", aad, plain).then((later) => finish(draft, eventId, micros, later));
}

function finish(draft: EntryDraft, eventId: string, micros: number, payload: Sealed | null): PreparedEntry {
  const ts = isoMicros(micros);
  const fields = toRecordFields(draft, {
    eventId,
    ts,
    gatewayId: gatewayId(),
    gatewayVersion: GATEWAY_VERSION,
    // Over the sealed bytes: destroying the key erases the content, and the chain still holds.
    payloadSha256: payload === null ? undefined : sha256Hex(payload.sealed),
    payloadKeyId: payload === null ? undefined : payload.keyId,
  });
  const text = toRecordText(fields);
  const bytes = 2 * (text.before.length + text.after.length) + (payload?.sealed.length ?? 0);
  return {
    tenantId: draft.tenantId,
    eventId,
    ts,
    micros,
    draft,
    text,
    columns: toSearchColumns(fields, text.plain),
    payload: payload?.sealed ?? null,
    bytes,
  };
}

function requireUuids(draft: EntryDraft): void {
  for (const id of [draft.tenantId, draft.eventId, draft.callId]) {
    if (id !== undefined && !isUuid(id)) throw new AppError("internal", "An id of an audit entry is malformed.");
  }
}
