import { z } from "zod";

/** Every list of this room: oldest first, by the id that the previous page ended with. */
export const listInput = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(200),
  cursor: z.uuid("must be the nextCursor of the page before").optional(),
});

/** The `where` part that continues after the cursor; nothing where there is none. */
export const after = (cursor: string | undefined): { id: { gt: string } } | Record<never, never> =>
  cursor === undefined ? {} : { id: { gt: cursor } };
