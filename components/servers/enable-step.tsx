"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { Button } from "@/components/ui/button";
import { Facts } from "@/components/ui/facts";
import { FormError } from "@/components/ui/form-error";
import { Note } from "@/components/ui/note";
import { Section } from "@/components/ui/section";
import { toast } from "@/components/ui/toast";
import { problemText } from "@/lib/client/form-issues";
import { actOnServer, serverKeys } from "@/lib/client/servers";
import type { ServerDetail } from "@/lib/servers/schemas";

/** The last look before agents can reach it. */
export function EnableStep({
  tenant,
  server,
  onBack,
}: {
  readonly tenant: string;
  readonly server: ServerDetail;
  readonly onBack: () => void;
}) {
  const client = useQueryClient();
  const router = useRouter();
  const page = `/${tenant}/servers/${server.id}`;
  const enable = useMutation({
    mutationFn: () => actOnServer(tenant, server.id, "enable"),
    onSuccess: async () => {
      toast.success(`${server.name} is enabled.`);
      await client.invalidateQueries({ queryKey: serverKeys.all(tenant) });
      router.push(page);
    },
  });
  const unmapped = server.toolCount - server.mappedToolCount;
  return (
    <div className="flex max-w-3xl flex-col gap-6">
      <Section title={`Enable ${server.name}`} note="From then on agents see each tool that one of their roles allows.">
        <Facts
          facts={[
            { name: "Tools", value: `${server.toolCount}, of which ${server.mappedToolCount} are mapped` },
            { name: "Names on the joint door", value: <code className="font-mono text-xs">{server.slug}__…</code> },
            { name: "Address", value: <code className="font-mono text-xs break-all">{server.address}</code> },
          ]}
        />
        {unmapped > 0 ? (
          <Note tone="warn">{unmapped} unmapped tools need admin:*; only tenant admins may call them.</Note>
        ) : null}
        <FormError>{enable.error ? problemText(enable.error) : null}</FormError>
      </Section>
      <div className="flex flex-wrap gap-2">
        <Button onClick={onBack}>Back</Button>
        <Button onClick={() => router.push(page)}>Leave as draft</Button>
        <Button
          variant="primary"
          pending={enable.isPending}
          disabled={server.status === "enabled"}
          onClick={() => enable.mutate()}
        >
          Enable
        </Button>
      </div>
    </div>
  );
}
