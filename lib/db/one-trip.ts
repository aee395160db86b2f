import "server-only";
import type { Connection, PoolClient, Submittable } from "pg";
import { pool } from "@/lib/db/client";
import { requireUuid } from "@/lib/db/in-tenant";
import { orUnavailable, orUnreachable } from "@/lib/db/lost-connection";
import { WireWriter } from "@/lib/db/wire-writer";

export type TripStatement = { readonly name: string; readonly text: string };
/** Text, bytes in binary form, or who writes its binary form straight into the message; asked in their order. */
export type TripValue = string | Uint8Array | ((out: WireWriter) => void);

const ENTER: TripStatement = {
  name: "enter",
  text: "select set_config('role', 'countersign_tenant', true), set_config('app.tenant_id', $1, true)",
};

/** What each session has parsed, by name. */
const parsed = new WeakMap<Connection, Set<string>>();

/** Buffers at rest. A fresh one per batch would be pages that the system has to find and clear each time. */
const spare: WireWriter[] = [];
const FIRST_BYTES = 256 * 1024;
const MAX_SPARE = 8;
const MAX_KEPT_BYTES = 2 * 1024 * 1024;

/** A statement of one tenant. */
export type TripStep = {
  readonly tenantId: string;
  readonly statement: TripStatement;
  readonly values: readonly TripValue[];
};
type Taken = (client: PoolClient) => void;

/**
 * One statement as the tenant's runtime role, its transaction included, in a single round trip: role, tenant and statement are
 * sent together before one Sync, which is what begins and commits. Resolves after the commit with the first column
 * of the statement's last row. A session in which anything failed is not used again.
 */
export async function oneTrip(
  tenantId: string,
  statement: TripStatement,
  values: readonly TripValue[],
  taken?: Taken,
): Promise<string | null> {
  const [answer] = await sharedTrip([{ tenantId, statement, values }], taken);
  return answer ?? null;
}

/**
 * The same for statements of several tenants: one transaction, so all are committed or none, and each runs in its own
 * tenant. Resolves with the answer of each.
 */
export async function sharedTrip(tenantSteps: readonly TripStep[], taken?: Taken): Promise<readonly (string | null)[]> {
  const steps = tenantSteps.flatMap(({ tenantId, statement, values }): Step[] => {
    requireUuid(tenantId);
    return [
      [ENTER, [tenantId]],
      [statement, values],
    ];
  });
  const client = await pool()
    .connect()
    .catch((cause: unknown) => {
      throw orUnreachable(cause);
    });
  taken?.(client);
  const out = spare.pop() ?? new WireWriter(FIRST_BYTES);
  try {
    out.at = 0;
    const answers = await new Promise<readonly (string | null)[]>((resolve, reject) => {
      client.query(makeTrip(out, steps, resolve, reject));
    });
    client.release();
    // The server has answered, so the socket has let go of the buffer.
    if (spare.length < MAX_SPARE && out.buffer.length <= MAX_KEPT_BYTES) spare.push(out);
    // Every other one is the answer of an entering.
    return answers.filter((_, index) => index % 2 === 1);
  } catch (cause) {
    client.release(cause instanceof Error ? cause : true);
    throw orUnavailable(cause);
  }
}

type Step = readonly [TripStatement, readonly TripValue[]];
/** What a session of `pg` offers to those who speak the protocol themselves. */
type Wire = Connection & {
  readonly stream: { readonly write: (bytes: Buffer) => void };
  readonly parse: (message: { name: string; text: string }) => void;
};

/** A query in the sense of `pg`, as its cursors are: it writes its messages itself and is told what comes back. */
function makeTrip(
  out: WireWriter,
  steps: readonly Step[],
  resolve: (answers: readonly (string | null)[]) => void,
  reject: (cause: unknown) => void,
): Submittable {
  const answers: (string | null)[] = [];
  let answer: string | null = null;
  return {
    submit(connection: Connection) {
      const wire = connection as Wire;
      for (const [statement, values] of steps) {
        parseOnce(wire, statement);
        bindAndExecute(out, nameOf(statement), values);
      }
      sync(out);
      wire.stream.write(out.written());
    },
    handleDataRow(message: { readonly fields: readonly (string | null)[] }) {
      answer = message.fields[0] ?? null;
    },
    handleError: reject,
    handleCommandComplete() {
      answers.push(answer);
      answer = null;
    },
    handleReadyForQuery: () => resolve(answers),
    handleRowDescription: nothing,
    handlePortalSuspended: nothing,
    handleEmptyQuery: nothing,
  } as Submittable;
}

/** Apart from the names under which `pg` itself may have prepared the same statement. */
const nameOf = ({ name }: TripStatement): string => `trip_${name}`;

function parseOnce(wire: Wire, statement: TripStatement): void {
  const known = parsed.get(wire) ?? new Set<string>();
  parsed.set(wire, known);
  const name = nameOf(statement);
  if (!known.has(name)) wire.parse({ name, text: statement.text });
  known.add(name);
}

const BIND = 0x42;
const EXECUTE = 0x45;
const SYNC = 0x53;
const TEXT_FORM = 0;
const BINARY_FORM = 1;

function bindAndExecute(out: WireWriter, name: string, values: readonly TripValue[]): void {
  out.byte(BIND);
  const start = out.open();
  out.byte(0);
  out.ascii(name);
  out.byte(0);
  out.int16(values.length);
  for (const value of values) out.int16(typeof value === "string" ? TEXT_FORM : BINARY_FORM);
  out.int16(values.length);
  for (const value of values) {
    const from = out.open();
    if (typeof value === "string") out.utf8(value);
    else if (typeof value === "function") value(out);
    else out.raw(value);
    out.close(from);
  }
  // All results as text.
  out.int16(0);
  closeMessage(out, start);
  out.byte(EXECUTE);
  const execute = out.open();
  out.byte(0);
  out.int32(0);
  closeMessage(out, execute);
}

function sync(out: WireWriter): void {
  out.byte(SYNC);
  closeMessage(out, out.open());
}

/** A message's length counts itself. */
const closeMessage = (out: WireWriter, start: number): void => out.close(start, 4);

function nothing(): void {
  // Only rows, failures and the end matter here.
}
