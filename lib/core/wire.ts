import { z } from "zod";
import { isPermission } from "@/lib/core/permission";

/** Shapes that every domain's wire uses. Browser-safe. */
export const slug = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{0,30}$/,
    "must start with a letter and hold only lower-case letters, digits and hyphens, at most 31",
  );
export const permission = z.string().refine(isPermission, "must look like namespace:action or namespace:*");
/** What PostgreSQL takes as well: it knows no year 0, and no place that is further from UTC. */
const isStorable = (text: string): boolean => !text.startsWith("0000") && !/[+-](?:1[6-9]|2\d):\d\d$/.test(text);
export const isoTime = z.iso
  .datetime({ offset: true })
  .refine(isStorable, "must be of a year from 0001 on, and at most 15:59 from UTC");
/** Why somebody acts, for the trail. */
export const reason = z.string().trim().min(3, "say why, in at least 3 characters").max(500);
export const cursor = z.string().max(200).optional();

/** Said by the console of what a page asks by itself while nobody touches it: that is no use of the session. */
export const UNATTENDED_HEADER = "x-unattended";

/** One page of a list; `nextCursor` null means the end. */
export type Page<T> = { readonly items: readonly T[]; readonly nextCursor: string | null };

/** RFC 9457 problem+json, with our stable code and the request id. */
export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly requestId: string;
  readonly issues?: readonly { readonly path: string; readonly rule: string }[];
  readonly missing?: string;
};
