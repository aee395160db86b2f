import type { z } from "zod";
import { AppError } from "@/lib/core/errors";

/** Where the next page starts: the sort key of the last row, opaque to the caller. */
export const encodeCursor = (key: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(key)).toString("base64url");

/** Reads a cursor back; one that we did not make, or made for another list, is refused as the caller's mistake. */
export function decodeCursor<S extends z.ZodType>(text: string, key: S): z.output<S> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch {
    throw badCursor();
  }
  const parsed = key.safeParse(value);
  if (!parsed.success) throw badCursor();
  return parsed.data;
}

function badCursor(): AppError {
  const issue = { path: "cursor", rule: "must be a nextCursor of an earlier page of this list" };
  return new AppError("invalid_input", "The cursor is not one of this list's.", { issues: [issue] });
}
