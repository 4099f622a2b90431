#include "services/cli/demo/partners.h"

#include <array>
#include <utility>

namespace guilder::cli::demo {
namespace {

enum Place : size_t {
  kGrocery,
  kDrugstore,
  kGreengrocer,
  kButcher,
  kDeli,
  kBakery,
  kHealthFood,
  kFuel,
  kFishmonger,
  kRestaurant,
  kCosmetics,
  kFlorist,
  kSpirits,
  kTravel,
  kGeneralStore,
  kWebShop,
  kPartnerCount
};

constexpr std::array<DemoPartner, kPartnerCount> kPartners = {{
    {"grocery", "Fresh Basket Supermarkets"},
    {"drugstore", "Linden Drugstores"},
    {"greengrocer", "Orchard Lane Greengrocers"},
    {"butcher", "Old Mill Butchers"},
    {"deli", "Corner Deli & Cheese"},
    {"bakery", "Golden Crust Bakeries"},
    {"health-food", "Whole Grain Health Foods"},
    {"fuel", "Ring Road Fuel Stations"},
    {"fishmonger", "Harbour Fish Market"},
    {"restaurant", "Market Hall Restaurants"},
    {"cosmetics", "Mirror & Brush Cosmetics"},
    {"florist", "Tulip Corner Florists"},
    {"spirits", "Vaulted Cellar Wines"},
    {"travel", "Compass Travel & Leisure"},
    {"general-store", "Station Road General Stores"},
    {"web-shop", "Little Lantern Gifts Online"},
}};

constexpr std::pair<std::string_view, Place> kDepartments[] = {
    {"GROCERY", kGrocery},        {"FROZEN GROCERY", kGrocery},
    {"DRUG GM", kDrugstore},      {"PRODUCE", kGreengrocer},
    {"MEAT", kButcher},           {"MEAT-PCKGD", kButcher},
    {"PORK", kButcher},           {"DELI", kDeli},
    {"DAIRY DELI", kDeli},        {"DELI/SNACK BAR", kDeli},
    {"PASTRY", kBakery},          {"BAKERY", kBakery},
    {"NUTRITION", kHealthFood},   {"FUEL", kFuel},
    {"SEAFOOD", kFishmonger},     {"SEAFOOD-PCKGD", kFishmonger},
    {"RESTAURANT", kRestaurant},  {"SALAD BAR", kRestaurant},
    {"CHEF SHOPPE", kRestaurant}, {"COSMETICS", kCosmetics},
    {"FLORAL", kFlorist},         {"GARDEN CENTER", kFlorist},
    {"SPIRITS", kSpirits},        {"TRAVEL & LEISURE", kTravel},
};

}  // namespace

std::span<const DemoPartner> DemoPartners() {
  return kPartners;
}

size_t PartnerOfDepartment(std::string_view department) {
  for (const auto& [name, partner] : kDepartments) {
    if (name == department) return partner;
  }
  return kGeneralStore;
}

size_t WebShopPartner() {
  return kWebShop;
}

}  // namespace guilder::cli::demo
