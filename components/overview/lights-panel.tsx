"use client";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { LightStatus } from "@/components/overview/light-status";
import { restWords, troubled } from "@/components/overview/lights";
import { Skeleton } from "@/components/ui/skeleton";
import { Status } from "@/components/ui/status";
import { healthQuery } from "@/lib/client/metrics";
import type { HealthView } from "@/lib/metrics/schemas";

const PART_NAMES = { database: "Database", redis: "Redis", trail: "Trail" } as const;

type Props = {
  readonly tenant: string;
  /** Ids of the servers one may open. */
  readonly serverIds: ReadonlyMap<string, string>;
};

/** The light of the tenant, of the servers that are not well, and of what the gateway stands on. */
export function LightsPanel({ tenant, serverIds }: Props) {
  const { data, error } = useQuery(healthQuery(tenant));
  return (
    <section aria-labelledby="lights" className="flex flex-col gap-2">
      <h2 id="lights" className="text-base font-semibold">
        Health
      </h2>
      <div className="min-h-10 rounded-md border border-line text-sm">
        {data === undefined ? (
          <p className="px-3 py-2">{error === null ? <Skeleton /> : "The lights could not be read."}</p>
        ) : (
          <Lights health={data} tenant={tenant} serverIds={serverIds} />
        )}
      </div>
    </section>
  );
}

const ROW = "flex flex-wrap items-center gap-x-3 gap-y-0.5 px-3 py-1.5";

function Lights({ health, tenant, serverIds }: Props & { readonly health: HealthView }) {
  const down = health.components.filter(({ status }) => status === "down");
  const rest = restWords(health.servers);
  return (
    <ul className="divide-y divide-line">
      <li className={ROW}>
        <LightStatus light={health.tenant} className="w-24 font-semibold" />
        <span className="min-w-0 flex-1 basis-60">
          <strong className="font-semibold">All servers</strong> {health.tenant.reason}
        </span>
      </li>
      {troubled(health.servers).map((server) => (
        <li key={server.server} className={ROW}>
          <LightStatus light={server} className="w-24" />
          <span className="min-w-0 flex-1 basis-60">
            <ServerName name={server.server} id={serverIds.get(server.server)} tenant={tenant} /> {server.reason}
          </span>
        </li>
      ))}
      {down.map(({ name, reason }) => (
        <li key={name} className={ROW}>
          <Status state="critical" className="w-24">
            down
          </Status>
          <span className="min-w-0 flex-1 basis-60">
            <strong className="font-semibold">{PART_NAMES[name]}</strong> {reason}
          </span>
        </li>
      ))}
      {rest === null ? null : <li className={`${ROW} text-muted`}>{rest}</li>}
    </ul>
  );
}

type NameProps = { readonly name: string; readonly id: string | undefined; readonly tenant: string };

const ServerName = ({ name, id, tenant }: NameProps) =>
  id === undefined ? (
    <strong className="font-semibold">{name}</strong>
  ) : (
    <Link
      href={`/${tenant}/servers/${id}?tab=figures`}
      className="font-semibold text-accent-text underline underline-offset-2"
    >
      {name}
    </Link>
  );
