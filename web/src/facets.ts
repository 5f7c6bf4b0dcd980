// The filters beside the results. Within one of them values widen the search, so counts are those of the other filters.
import type { Facet, FacetValue } from './api';
import { h } from './dom';

export interface FacetView {
  title: string;
  values: FacetValue[];
  otherCount: number;
  selected: readonly string[];
  toggle(id: string): void;
  clear(): void;
}

const NUMBER = new Intl.NumberFormat('en');

/** The values to show: those counted, and those selected that the answer does not have. */
export function facetValues(facet: Facet | undefined, selected: readonly string[], nameOf: (id: string) => string): FacetValue[] {
  const values = (facet?.values ?? []).filter((value) => value.id);
  const missing = selected.filter((id) => !values.some((value) => value.id === id));
  return [...missing.map((id) => ({ id, displayName: nameOf(id), count: 0 })), ...values];
}

export function facetElement(view: FacetView): HTMLElement | null {
  if (view.values.length === 0) return null;
  const heading = h(
    'legend',
    {},
    view.title,
    view.selected.length > 0 &&
      h('button', { type: 'button', class: 'link clear', 'aria-label': `Clear ${view.title}`, onclick: view.clear }, 'Clear'),
  );
  const rows = view.values.map((value) => {
    const id = value.id ?? '';
    const checked = view.selected.includes(id);
    const box = h('input', { type: 'checkbox', checked, value: id, onchange: () => view.toggle(id) });
    return h(
      'label',
      { class: checked ? 'facet-value selected' : 'facet-value' },
      box,
      h('bdi', { class: 'facet-name' }, value.displayName || id),
      h('span', { class: 'count' }, NUMBER.format(value.count ?? 0)),
    );
  });
  return h(
    'fieldset',
    { class: 'facet', 'data-facet': view.title },
    heading,
    h('div', { class: 'facet-values' }, ...rows),
    view.otherCount > 0 && h('p', { class: 'other' }, `and ${NUMBER.format(view.otherCount)} under others`),
  );
}
