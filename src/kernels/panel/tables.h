#pragma once
// The lookup of a type's function among those of one instruction set; types that are not packed
// have none.

#include "kernels/panel/panel.h"
#include "tensor/types/all.h"

namespace edgelm::kernels {

template <class Set, class Type>
constexpr PanelFn panel_function() {
  if constexpr (PanelLayout<Type>::kPacked) return Set::template kFunction<Type>;
  return nullptr;
}

template <class Set, class... Types>
PanelFn find_panel_in(tensor::TypeList<Types...>, tensor::DType type) {
  PanelFn found = nullptr;
  ((Types::kType == type ? void(found = panel_function<Set, Types>()) : void()), ...);
  return found;
}

// Set::kFunction<Type> is the function of an instruction set for one packed type.
template <class Set>
PanelFn find_panel(tensor::DType type) {
  return find_panel_in<Set>(tensor::AllTypes{}, type);
}

}  // namespace edgelm::kernels
