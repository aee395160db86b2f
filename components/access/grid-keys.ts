export type GridPosition = { readonly row: number; readonly column: number };
type GridSize = { readonly rows: number; readonly columns: number; readonly page: number };

const clamp = (value: number, last: number): number => Math.max(0, Math.min(value, last));

/** Where the focus goes for a key, after the ARIA grid pattern; null when the key is not ours. */
export function moveFocus(from: GridPosition, key: string, ctrl: boolean, size: GridSize): GridPosition | null {
  const lastRow = size.rows - 1;
  const lastColumn = size.columns - 1;
  switch (key) {
    case "ArrowUp":
      return { ...from, row: ctrl ? 0 : clamp(from.row - 1, lastRow) };
    case "ArrowDown":
      return { ...from, row: ctrl ? lastRow : clamp(from.row + 1, lastRow) };
    case "ArrowLeft":
      return { ...from, column: ctrl ? 0 : clamp(from.column - 1, lastColumn) };
    case "ArrowRight":
      return { ...from, column: ctrl ? lastColumn : clamp(from.column + 1, lastColumn) };
    case "Home":
      return { row: ctrl ? 0 : from.row, column: 0 };
    case "End":
      return { row: ctrl ? lastRow : from.row, column: lastColumn };
    case "PageUp":
      return { ...from, row: clamp(from.row - size.page, lastRow) };
    case "PageDown":
      return { ...from, row: clamp(from.row + size.page, lastRow) };
    default:
      return null;
  }
}
