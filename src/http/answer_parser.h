#pragma once
// Beast's HTTP/1 parser, keeping what it finds in an answer within limits. For client.cpp alone:
// nobody else includes Beast, because it is slow to compile.

// The parser's asserts do not guard memory, and one of them (parse_chunk_header, n >= 5) fires on a
// last chunk that arrives in pieces: bytes from a server must never abort.
#define BOOST_DISABLE_ASSERTS

#include <boost/asio/error.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "http/client.h"
#include "http/message.h"

namespace edgelm::http {

// Beast finds where things are in the answer; this keeps them, within limits.
class AnswerParser final : public boost::beast::http::basic_parser<false> {
 public:
  static constexpr std::uint32_t kMaxHeaderBytes = 64u << 10;

  AnswerParser(const Request& request, const std::function<bool(std::string_view)>* on_data)
      : request_(request), on_data_(on_data) {
    header_limit(kMaxHeaderBytes);
    body_limit(boost::none);  // counted here, so that the limit is on what is kept
    eager(true);
    skip(request.method == "HEAD");
  }

  [[nodiscard]] const Response& response() const { return response_; }
  Response take() { return std::move(response_); }
  [[nodiscard]] bool stopped() const { return stopped_; }      // by on_data
  [[nodiscard]] bool too_large() const { return too_large_; }  // the body
  [[nodiscard]] std::uint64_t body_bytes() const { return body_bytes_; }

 private:
  static std::string_view view(boost::beast::string_view text) {
    return {text.data(), text.size()};
  }

  void on_request_impl(boost::beast::http::verb /*verb*/, boost::beast::string_view /*method*/,
                       boost::beast::string_view /*target*/, int /*version*/,
                       boost::system::error_code& /*error*/) override {}
  void on_response_impl(int code, boost::beast::string_view /*reason*/, int /*version*/,
                        boost::system::error_code& /*error*/) override {
    response_.status = code;
  }
  void on_field_impl(boost::beast::http::field /*field*/, boost::beast::string_view name,
                     boost::beast::string_view value,
                     boost::system::error_code& /*error*/) override {
    if (is_header_done()) return;  // trailers: nothing here uses them
    response_.headers.emplace_back(lower_case(view(name)), std::string(view(value)));
  }
  void on_header_impl(boost::system::error_code& error) override {
    streams_ = on_data_ != nullptr && response_.status == 200;
    // Refused before the first byte of it is read. Done: there is none (HEAD, 204, 304).
    if (!is_done() && !streams_ && content_length().value_or(0) > request_.max_body_bytes)
      refuse(error);
  }
  void on_body_init_impl(boost::optional<std::uint64_t> const& /*length*/,
                         boost::system::error_code& /*error*/) override {}
  std::size_t on_body_impl(boost::beast::string_view body,
                           boost::system::error_code& error) override {
    return take_body(view(body), error);
  }
  void on_chunk_header_impl(std::uint64_t /*size*/, boost::beast::string_view /*extensions*/,
                            boost::system::error_code& /*error*/) override {}
  std::size_t on_chunk_body_impl(std::uint64_t /*remain*/, boost::beast::string_view body,
                                 boost::system::error_code& error) override {
    return take_body(view(body), error);
  }
  void on_finish_impl(boost::system::error_code& /*error*/) override {}

  std::size_t take_body(std::string_view piece, boost::system::error_code& error) {
    body_bytes_ += piece.size();
    if (streams_) {
      if (!stopped_ && !piece.empty()) stopped_ = !(*on_data_)(piece);
    } else if (piece.size() > request_.max_body_bytes - response_.body.size()) {
      refuse(error);
    } else {
      response_.body += piece;
    }
    return piece.size();
  }
  void refuse(boost::system::error_code& error) {
    too_large_ = true;
    error = boost::asio::error::message_size;
  }

  const Request& request_;
  const std::function<bool(std::string_view)>* on_data_;
  Response response_;
  std::uint64_t body_bytes_ = 0;
  bool streams_ = false;
  bool stopped_ = false;
  bool too_large_ = false;
};

}  // namespace edgelm::http
