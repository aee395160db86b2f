import "server-only";
import { endOpenSessions, warmChainsOf } from "@/lib/auth/open-sessions";
import { endPersonSessionsInput } from "@/lib/auth/schemas";
import { AppError } from "@/lib/core/errors";
import { inPlatform, type PlatformTx } from "@/lib/db/in-tenant";
import { definePlatformWrite } from "@/lib/db/verbs";

/** Ends every session of a person, in whichever tenant it is. They can sign in again. */
export const endPersonSessions = definePlatformWrite({
  permission: "platform:write",
  input: endPersonSessionsInput,
  prepare: (_ctx, { email }) => inPlatform((tx) => requirePerson(tx, email)).then(({ id }) => warmChainsOf(id)),
  run: async (tx, ctx, { email, reason }) => {
    const { id } = await requirePerson(tx, email);
    return endOpenSessions(tx, ctx, { userId: id }, { email, as: "revoked", reason });
  },
});

async function requirePerson(tx: PlatformTx, email: string): Promise<{ readonly id: string }> {
  const row = await tx.user.findUnique({ where: { email }, select: { id: true } });
  if (row === null) throw new AppError("not_found", `Nobody here has the address ${email}.`);
  return row;
}
