import { redirect } from "next/navigation";
import { hrefOf, visibleEntries } from "@/components/shell/nav-entries";
import { EmptyState } from "@/components/ui/empty-state";
import { pageContext } from "@/lib/auth/request-context";

/** The first section this person may open. */
export default async function TenantHome({ params }: { readonly params: Promise<{ tenant: string }> }) {
  const { tenant } = await params;
  const { me } = await pageContext(tenant);
  const [first] = visibleEntries(me.permissions);
  if (first !== undefined) redirect(hrefOf(first, tenant));
  return (
    <EmptyState
      title="Nothing is open to you here yet"
      why="You are a member of this tenant, but none of your roles opens a page. A tenant admin can give you one."
    />
  );
}
