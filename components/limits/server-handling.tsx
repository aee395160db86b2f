"use client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useMay } from "@/components/shell/me-context";
import { Facts } from "@/components/ui/facts";
import { formatCount } from "@/components/ui/format";
import { ReasonDialog } from "@/components/ui/reason-dialog";
import { Section } from "@/components/ui/section";
import { Select } from "@/components/ui/select";
import { toast } from "@/components/ui/toast";
import { problemText } from "@/lib/client/form-issues";
import { changeRetryPolicy, handlingQuery, limitKeys } from "@/lib/client/limits";
import { type CacheView, RETRY_POLICIES, type RetryPolicy } from "@/lib/limits/schemas";
import type { ServerDetail } from "@/lib/servers/schemas";

const POLICY_TEXT: Readonly<Record<RetryPolicy, string>> = {
  off: "Never",
  read_only: "Tools that say they only read",
  idempotent: "Those, and tools that say they are idempotent",
};

const hitRatio = ({ hits, misses }: CacheView): string =>
  hits + misses === 0
    ? "nothing asked since start"
    : `${Math.round((100 * hits) / (hits + misses))} % of ${formatCount(hits + misses)} calls`;

/** Second tries, and how often answers were given again. */
export function ServerHandling({ tenant, server }: { readonly tenant: string; readonly server: ServerDetail }) {
  const { data } = useQuery(handlingQuery(tenant, server.id));
  const mayWrite = useMay("servers:write");
  const client = useQueryClient();
  const [wanted, setWanted] = useState<RetryPolicy | null>(null);
  const change = useMutation({
    mutationFn: (reason: string) => changeRetryPolicy(tenant, { id: server.id, retryPolicy: wanted ?? "off", reason }),
    onSuccess: async () => {
      toast.success("Saved. It holds within seconds.");
      setWanted(null);
      await client.invalidateQueries({ queryKey: limitKeys.handling(tenant, server.id) });
    },
  });
  if (!data) return null;
  return (
    <Section
      title="Repeated calls and kept answers"
      note="A call is repeated once, where nothing of an answer had come, and at most for a tenth of the calls. Answers are kept per tool, under Tools."
    >
      <div className="max-w-md">
        <Select
          aria-label="Call again after a fault"
          disabled={!mayWrite}
          value={data.retryPolicy}
          onValueChange={(value) => setWanted(RETRY_POLICIES.find((known) => known === value) ?? null)}
          options={RETRY_POLICIES.map((value) => ({ value, label: `Call again: ${POLICY_TEXT[value].toLowerCase()}` }))}
        />
      </div>
      <Facts
        facts={[
          { name: "Answered from kept answers", value: hitRatio(data.cache) },
          {
            name: "Kept now",
            value: `${formatCount(data.cache.entries)} answers, ${formatCount(data.cache.bytes)} bytes in this process`,
          },
        ]}
      />
      {wanted !== null && wanted !== data.retryPolicy ? (
        <ReasonDialog
          title="Change when calls are repeated"
          description={`${POLICY_TEXT[wanted]}.`}
          action="Change"
          pending={change.isPending}
          error={change.error ? problemText(change.error) : null}
          onConfirm={(reason) => change.mutate(reason)}
          onClose={() => {
            setWanted(null);
            change.reset();
          }}
        />
      ) : null}
    </Section>
  );
}
