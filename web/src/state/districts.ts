/** The boundaries of the districts: the layer that the City declaration names. */
import { api } from "@/api/endpoints";
import type { Districts } from "@/api/types";

export async function fetchDistricts(): Promise<Districts> {
  const { district_layer: layer } = await api.city();
  return layer ? api.districts(layer) : { type: "FeatureCollection", features: [] };
}
