import "server-only";
import { z } from "zod";
import { readChannelViews, requireChannel } from "@/lib/channels/internal";
import { type ChannelList, listNoticesInput, type NoticeView } from "@/lib/channels/schemas";
import { missingForEmail } from "@/lib/channels/send-mail";
import { toNoticeView } from "@/lib/channels/views";
import type { Page } from "@/lib/core/wire";
import { decodeCursor, encodeCursor } from "@/lib/db/cursor";
import { defineRead } from "@/lib/db/verbs";

/** Attempts that are shown of a notice; those of a day are hardly more. */
const MAX_LOG = 10;

/** Every channel by its name, and whether mail can be sent at all. */
export const listChannels = defineRead({
  permission: "alerts:read",
  input: z.object({}),
  run: async (tx, { tenantId }): Promise<ChannelList> => ({
    items: await readChannelViews(tx, tenantId),
    nextCursor: null,
    missingForEmail: missingForEmail(),
  }),
});

const position = z.tuple([z.string().regex(/^\d{1,18}$/)]);

/** What a channel was told, newest first, with how each attempt went. */
export const listNotices = defineRead({
  permission: "alerts:read",
  input: listNoticesInput,
  run: async (tx, { tenantId }, { id, limit, cursor }): Promise<Page<NoticeView>> => {
    await requireChannel(tx, tenantId, id);
    const before = cursor === undefined ? null : BigInt(decodeCursor(cursor, position)[0]);
    const rows = await tx.alertNotice.findMany({
      where: { tenantId, channelId: id, ...(before === null ? {} : { seq: { lt: before } }) },
      orderBy: { seq: "desc" },
      take: limit + 1,
      include: { log: { orderBy: { number: "desc" }, take: MAX_LOG } },
    });
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    const isMore = rows.length > limit && last !== undefined;
    return { items: page.map(toNoticeView), nextCursor: isMore ? encodeCursor([String(last.seq)]) : null };
  },
});
