import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { OsUser } from "@/lib/db/embedded/os-user";

/** True when `user` may walk into `folder`; for ourselves (null) only existence matters. */
export async function canReach(user: OsUser | null, folder: string): Promise<boolean> {
  if (user === null) return true;
  for (let at = folder; ; at = dirname(at)) {
    const found = await stat(at).catch(() => null);
    if (found === null) return false;
    const shift = found.uid === user.uid ? 6 : found.gid === user.gid ? 3 : 0;
    if (((found.mode >> shift) & 1) === 0) return false;
    if (at === dirname(at)) return true;
  }
}
