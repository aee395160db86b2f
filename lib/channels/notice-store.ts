import "server-only";
import { GIVE_UP_AFTER_MS } from "@/lib/channels/retry-rules";
import type { ChannelKind, NoticeEvent, NoticeSeverity, NoticeState } from "@/lib/channels/schemas";
import type { TimedSent } from "@/lib/channels/send-notice";
import { platformSql, tenantSql } from "@/lib/db/sql";

export type DueChannel = { readonly tenantId: string; readonly channelId: string };

const MAX_DUE = 256;
/** How long nobody else tries, should this process end halfway; longer than any attempt lasts. */
const HOLD_MS = 60_000;

// Notices of one alert go to a channel in their order: "resolved" waits until "firing" was delivered or given up.
const IS_NEXT = `n.state = 'waiting' and n.next_at <= now() and not exists (
  select 1 from alert_notices e where e.tenant_id = n.tenant_id and e.channel_id = n.channel_id
    and e.alert_id = n.alert_id and e.state = 'waiting' and e.seq < n.seq)`;

// The longest waiting channel of each tenant comes before the second of any, so that no tenant is behind another's crowd.
const DUE = `select tenant_id as "tenantId", channel_id as "channelId" from (
    select n.tenant_id, n.channel_id, min(n.next_at) as since,
        row_number() over (partition by n.tenant_id order by min(n.next_at)) as turn
      from alert_notices n join tenants t on t.id = n.tenant_id and t.status = 'active'
     where ${IS_NEXT} group by n.tenant_id, n.channel_id
  ) d order by turn, since limit ${MAX_DUE}`;

/** Channels of all tenants with something to deliver. Other processes may see the same ones: `claimNotice` decides. */
export const dueChannels = (): Promise<readonly DueChannel[]> =>
  platformSql(async (client) => (await client.query<DueChannel>(DUE)).rows);

export type ClaimedNotice = DueChannel & {
  readonly id: string;
  /** Number of the attempt that begins now. */
  readonly attempt: number;
  readonly alertId: string | null;
  readonly event: NoticeEvent | "test";
  readonly severity: NoticeSeverity;
  readonly title: string;
  readonly text: string;
  readonly server: string | null;
  readonly tool: string | null;
  readonly value: number | null;
  readonly threshold: number | null;
  readonly at: Date;
  readonly tenant: string;
  readonly kind: ChannelKind;
  readonly enabled: boolean;
  readonly recipients: readonly string[];
  readonly secret: Buffer | null;
  readonly secretKeyId: string | null;
};

// Whoever moves the turn on has it. Nobody waits for a notice that another process is at.
const CLAIM = `with due as (
    select n.id from alert_notices n where n.tenant_id = $1 and n.channel_id = $2 and ${IS_NEXT}
      order by n.seq limit 1 for update of n skip locked
  )
  update alert_notices n set attempts = n.attempts + 1, next_at = now() + ${HOLD_MS} * interval '1 millisecond'
    from due, alert_channels c, tenants t
   where n.tenant_id = $1 and n.id = due.id and c.tenant_id = n.tenant_id and c.id = n.channel_id and t.id = n.tenant_id
  returning n.tenant_id as "tenantId", n.channel_id as "channelId", n.id, n.attempts as attempt, n.alert_id as "alertId",
    n.event, n.severity, n.title, n.text, n.server, n.tool, n.value, n.threshold, n.at, t.slug as tenant,
    c.kind, c.enabled, c.recipients, c.secret, c.secret_key_id as "secretKeyId"`;
const BEGIN = "insert into alert_notice_attempts (tenant_id, notice_id, number) values ($1, $2, $3)";

/** Takes the channel's next notice and notes that an attempt begins; null where there is none, or another has it. */
export const claimNotice = ({ tenantId, channelId }: DueChannel): Promise<ClaimedNotice | null> =>
  tenantSql(tenantId, async (client) => {
    const { rows } = await client.query<ClaimedNotice>(CLAIM, [tenantId, channelId]);
    const notice = rows[0] ?? null;
    if (notice !== null) await client.query(BEGIN, [tenantId, notice.id, notice.attempt]);
    return notice;
  });

const END = `update alert_notice_attempts set delivered = $4, duration_ms = $5, status = $6, error = $7
  where tenant_id = $1 and notice_id = $2 and number = $3`;
// What was delivered stays delivered, whatever a process that was thought dead says later; and it may say "delivered" late.
const DELIVERED = `update alert_notices set state = 'delivered', ended_at = now(), error = $3
  where tenant_id = $1 and id = $2 and state <> 'delivered' returning state`;
const NOT_DELIVERED = `update alert_notices n set error = $4, next_at = w.next_at,
    state = case when w.is_over then 'failed' else 'waiting' end, ended_at = case when w.is_over then now() end
  from (select now() + $5 * interval '1 millisecond' as next_at, $6 or now() + $5 * interval '1 millisecond'
      > created_at + ${GIVE_UP_AFTER_MS} * interval '1 millisecond' as is_over
    from alert_notices where tenant_id = $1 and id = $2) w
  where n.tenant_id = $1 and n.id = $2 and n.state = 'waiting' and n.attempts = $3 returning n.state`;

type Ended = TimedSent & { readonly waitMs: number };

/** Keeps how an attempt ended, and says what became of the notice. */
export const endAttempt = (notice: ClaimedNotice, { sent, durationMs, waitMs }: Ended): Promise<NoticeState | null> =>
  tenantSql(notice.tenantId, async (client) => {
    const { tenantId, id, attempt } = notice;
    await client.query(END, [tenantId, id, attempt, sent.delivered, durationMs, sent.status, sent.error]);
    const { rows } = sent.delivered
      ? await client.query<{ state: NoticeState }>(DELIVERED, [tenantId, id, sent.error])
      : await client.query<{ state: NoticeState }>(NOT_DELIVERED, [
          ...[tenantId, id, attempt, sent.error, waitMs],
          sent.final,
        ]);
    return rows[0]?.state ?? null;
  });
