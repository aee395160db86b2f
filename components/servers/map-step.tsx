"use client";
import { useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { knownPermissions } from "@/components/access/console-permissions";
import { PermissionList } from "@/components/access/permission-input";
import { RoleDialog } from "@/components/access/role-dialog";
import { useSaveAccess } from "@/components/access/use-save-access";
import { toolHref } from "@/components/figures/tool-href";
import { useMay } from "@/components/shell/me-context";
import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { formatPlural } from "@/components/ui/format";
import { Input } from "@/components/ui/input";
import { Note } from "@/components/ui/note";
import { Section } from "@/components/ui/section";
import { SkeletonRows } from "@/components/ui/skeleton";
import { permissionMapQuery } from "@/lib/client/access";
import { problemText } from "@/lib/client/form-issues";
import { rolesQuery } from "@/lib/client/members";
import type { ServerDetail, ServerToolView } from "@/lib/servers/schemas";
import { DefinitionLink } from "./definition-link";
import { MappingTable } from "./mapping-table";
import {
  acceptSuggestions,
  mappingChanges,
  permissionOf,
  redefinedTools,
  roleChanges,
  showAnew,
  startMapping,
} from "./tool-mapping";

export type MapStepProps = { readonly tenant: string; readonly server: ServerDetail; readonly onDone: () => void };

/** Which permission each tool needs, and which roles get it, saved as one change with a reason. */
export function MapStep({ tenant, server, onDone }: MapStepProps) {
  const list = useId();
  const map = useQuery(permissionMapQuery(tenant));
  const roles = useQuery(rolesQuery(tenant));
  const mayWrite = useMay("access:write");
  const [draft, setDraft] = useState(() => startMapping(server.tools));
  const [reason, setReason] = useState(`Register ${server.name}`);
  const [creating, setCreating] = useState(false);
  const save = useSaveAccess(tenant);
  const error = map.error ?? roles.error;
  if (error) return <ErrorState error={error} onRetry={() => Promise.all([map.refetch(), roles.refetch()])} />;
  if (!map.data || !roles.data) return <SkeletonRows label="Loading roles" />;

  const custom = roles.data.filter((role) => !role.builtIn);
  const changes = mappingChanges(draft, server.slug, server.tools);
  const grants = roleChanges(draft, server.tools, custom);
  const unmapped = server.tools.filter((tool) => permissionOf(draft, tool) === null).length;
  const nothing = changes.length + grants.length === 0;
  const redefined = redefinedTools(draft, server.tools);
  const known = knownPermissions([
    ...map.data.tools.map((t) => t.permission),
    ...server.tools.map((t) => t.suggestedPermission),
  ]);
  const submit = () =>
    save.mutate({ baseVersion: map.data.version, map: changes, grants, reason: reason.trim() }, { onSuccess: onDone });

  return (
    <div className="flex flex-col gap-4">
      <PermissionList id={list} permissions={known} />
      <Section
        title="Map tools and grant them"
        note="A tool without a permission needs admin:*, so only tenant admins may call it. Ticking a role grants it the tool's permission."
        actions={
          mayWrite ? (
            <>
              <Button onClick={() => setCreating(true)}>Create role</Button>
              <Button onClick={() => setDraft(acceptSuggestions(draft, server.tools))} disabled={unmapped === 0}>
                Accept all suggestions
              </Button>
            </>
          ) : null
        }
      >
        {mayWrite ? null : (
          <Note tone="warn">Mapping and granting need the permission access:write, which you do not hold.</Note>
        )}
        <Redefined
          tenant={tenant}
          id={server.id}
          tools={redefined}
          onSeen={() => {
            setDraft(showAnew(draft, server.tools));
            save.reset();
          }}
        />
        <MappingTable
          tools={server.tools}
          roles={custom}
          draft={draft}
          onDraft={setDraft}
          list={list}
          disabled={!mayWrite}
        />
        <Note>
          Built-in roles are fixed: tenant admins may call every tool through admin:*; compliance officers, developers
          and viewers hold no tool permissions. A faded tick means that the role holds the permission already and gets
          the tool with it.
        </Note>
      </Section>
      <Field label="Reason" hint="Recorded in the audit trail." className="max-w-xl">
        <Input value={reason} onChange={(event) => setReason(event.target.value)} />
      </Field>
      <FormError>{save.error ? problemText(save.error) : null}</FormError>
      <div className="flex flex-wrap items-center gap-2">
        <Button
          variant="primary"
          pending={save.isPending}
          disabled={nothing || redefined.length > 0 || reason.trim().length < 3}
          onClick={submit}
        >
          Save and continue
        </Button>
        <Button onClick={onDone}>{nothing ? "Continue without mapping" : "Skip"}</Button>
        <p className="text-sm text-muted">
          {formatPlural(changes.length, "mapping", "mappings")}, {formatPlural(grants.length, "grant", "grants")},{" "}
          {formatPlural(unmapped, "tool", "tools")} left as admin:*.
        </p>
      </div>
      {creating ? <RoleDialog tenant={tenant} edited={null} known={known} onClose={() => setCreating(false)} /> : null}
    </div>
  );
}

type RedefinedProps = {
  readonly tenant: string;
  readonly id: string;
  readonly tools: readonly ServerToolView[];
  readonly onSeen: () => void;
};

/** Saving approves what a tool says. What came in between has to be looked at first; nothing of the draft is lost by it. */
function Redefined({ tenant, id, tools, onSeen }: RedefinedProps) {
  if (tools.length === 0) return null;
  return (
    <Note tone="warn">
      <p>
        Meanwhile {tools.length === 1 ? "a tool says" : `${tools.length} tools say`} something else than when you began.
        What you chose is kept; look at what {tools.length === 1 ? "it says" : "they say"} now:
      </p>
      <ul className="mt-1 list-disc pl-5">
        {tools.map(({ name, title, description }) => (
          <li key={name}>
            <span className="font-mono">{name}</span>: {title === null ? "" : `${title}. `}
            {description} <DefinitionLink href={toolHref(tenant, id, name, { tab: "definition" })} />
          </li>
        ))}
      </ul>
      <Button className="mt-2" onClick={onSeen}>
        Go on with what {tools.length === 1 ? "it says" : "they say"} now
      </Button>
    </Note>
  );
}
