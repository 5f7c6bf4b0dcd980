// dateline sync: what the places have into the search service, and out of it what they no longer have.
#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "cli/command.h"
#include "cli/ingest_job.h"
#include "cli/interrupt.h"
#include "common/status_macros.h"
#include "common/url.h"

namespace dateline::cli {
namespace {

namespace apb = article::v1;
namespace spb = search::v1;

constexpr int kPageSize = 1'000;  // The most that the service takes.
// More than this share of what is stored is not deleted without --force.
constexpr size_t kMaxPercent = 10;

struct SyncFlags {
  IngestFlags ingest;
  std::string filter;
  std::vector<std::string> hosts;
  bool force = false;
};

const std::vector<FieldOfFlag>& Fields() {
  static const auto* const kFields = new std::vector<FieldOfFlag>{{"filter", "--of"}};
  return *kFields;
}

// Which articles the job is about.
struct Scope {
  std::string filter;
  std::set<std::string> hosts = {};  // Empty: any.
  bool by_default = false;           // The user didn't say; the places do, if they are lists of one site.

  bool Has(const apb::Article& article) const {
    if (hosts.empty()) return true;
    const absl::StatusOr<std::string> host = common::UrlHost(article.url());
    return host.ok() && hosts.count(*host) > 0;
  }
};

absl::StatusOr<Scope> ScopeOf(const SyncFlags& flags) {
  Scope scope{.filter = flags.filter};
  for (const std::string& host : flags.hosts) {
    const absl::StatusOr<std::string> name = common::UrlHost(absl::StrCat("https://", host, "/"));
    if (!name.ok() || host.find_first_of("/:@") != std::string::npos) {
      return absl::InvalidArgumentError(absl::StrCat("--host: “", host, "” is no name of a host such as example.org"));
    }
    scope.hosts.insert(*name);
  }
  if (!scope.filter.empty() || !scope.hosts.empty()) return scope;
  for (const std::string& place : flags.ingest.places) {
    const absl::StatusOr<std::string> host = common::UrlHost(place);
    if (host.ok()) scope.hosts.insert(*host);
    if (!host.ok() || scope.hosts.size() > 1) {
      return absl::InvalidArgumentError(
          "what is not in these places is deleted; say of which articles: --host example.org for those of a site, --of "
          "CONDITION (as --filter of `dateline list`) for others; not needed only for sitemaps and feeds of one host");
    }
  }
  scope.by_default = true;
  return scope;
}

// Calls `visit` with each stored article that passes `filter`, until it gives an error or the user presses Ctrl-C. Of
// each there is no more than its main address.
absl::Status ForEachStored(const SearchClient& client, const std::string& filter,
                           const std::function<absl::Status(apb::Article&)>& visit) {
  spb::ListArticlesRequest request;
  request.set_filter(filter);
  request.set_page_size(kPageSize);
  do {
    absl::StatusOr<spb::ListArticlesResponse> page = client.ListArticles(request);
    if (!page.ok()) return InTermsOfFlags(page.status(), Fields());
    for (apb::Article& article : *page->mutable_articles()) RETURN_IF_ERROR(visit(article));
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty() && !Interrupted());
  return absl::OkStatus();
}

// An article that the places no longer have.
struct Missing {
  apb::Article article;  // Id, URLs, etag.
  std::string reason;
};

class Deleter {
 public:
  Deleter(const SyncFlags& flags, const Scope& scope, const Inventory& inventory, const SearchClient& client,
          IngestJob& job)
      : flags_(flags), scope_(scope), inventory_(inventory), client_(client), job_(job) {}

  // Finds what is missing, and deletes it, or says that it would. An error is the job's.
  absl::Status Run() {
    done_.held_back = WhyUnread();
    done_.unread = !done_.held_back.empty();
    if (!done_.unread) done_.held_back = WhyUnbounded();
    if (!done_.held_back.empty()) {
      return ForEachStored(client_, scope_.filter, [this](const apb::Article& article) {
        done_.stored += scope_.Has(article) ? 1 : 0;
        return absl::OkStatus();
      });
    }
    ASSIGN_OR_RETURN(std::vector<Missing> missing, FindMissing());
    if (inventory_.latest_only()) missing = OnlyGone(std::move(missing));
    if (Interrupted()) return absl::OkStatus();
    done_.missing = static_cast<int64_t>(missing.size());
    if (missing.size() * 100 > static_cast<size_t>(done_.stored) * kMaxPercent && !flags_.force) {
      done_.held_back = absl::StrFormat(
          "%d of %d stored articles are missing from the places, which is more than %d %%, so that nothing is deleted; "
          "%s",
          missing.size(), done_.stored, kMaxPercent,
          flags_.ingest.dry_run ? "--force deletes them" : "--dry_run lists them, --force deletes them");
      if (!flags_.ingest.dry_run) return absl::OkStatus();
    }
    for (const Missing& one : missing) {
      if (Interrupted()) break;
      RETURN_IF_ERROR(Delete(one));
    }
    return absl::OkStatus();
  }

  RunReport::Deletions TakeDeletions() { return std::move(done_); }

 private:
  // --force doesn't help where nobody knows what the places have.
  std::string WhyUnread() const {
    if (job_.cut_off() > 0) {
      return "a source was not read to its end, so that nobody knows what is missing from it: nothing is deleted";
    }
    if (!job_.AllowsRejected(inventory_.unreadable())) {
      return absl::StrCat("of ", inventory_.unreadable(),
                          inventory_.unreadable() == 1 ? " input that was rejected" : " inputs that were rejected",
                          " neither id nor URL is known, so that nobody knows what is missing: nothing is deleted; "
                          "--max_rejects says how many may be passed over");
    }
    return "";
  }

  // Nor where nobody knows of which articles they are the whole.
  std::string WhyUnbounded() const {
    if (scope_.by_default && !inventory_.all_lists_of_site()) {
      return "a place is neither a sitemap nor a feed, and need not have all of its host: nothing is deleted; --host "
             "or "
             "--of says which articles the places have";
    }
    return "";
  }

  bool IsThere(const apb::Article& article) const {
    if (inventory_.HasId(article.id()) || inventory_.HasUrl(article.url())) return true;
    const auto& others = article.alternate_urls();
    return std::any_of(others.begin(), others.end(), [this](const std::string& url) { return inventory_.HasUrl(url); });
  }

  absl::StatusOr<std::vector<Missing>> FindMissing() {
    std::vector<Missing> missing;
    int64_t untold = 0;
    int64_t taken_in_scope = 0;
    RETURN_IF_ERROR(ForEachStored(client_, scope_.filter, [&](apb::Article& article) -> absl::Status {
      if (!scope_.Has(article)) return absl::OkStatus();
      ++done_.stored;
      taken_in_scope += inventory_.WasTaken(article.id()) ? 1 : 0;
      if (IsThere(article)) return absl::OkStatus();
      // Before the service has seen them, nobody knows the ids of articles that have neither id nor URL.
      if (flags_.ingest.dry_run && article.url().empty() && inventory_.nameless() > 0) {
        ++untold;
        return absl::OkStatus();
      }
      ASSIGN_OR_RETURN(const bool has_other_address, IsThereByOtherAddress(article));
      if (!has_other_address) missing.push_back({.article = std::move(article), .reason = "absent"});
      return absl::OkStatus();
    }));
    for (Missing& one : missing) {
      if (inventory_.IsGone(one.article.url())) one.reason = "gone";
    }
    if (Interrupted()) return missing;
    if (const int64_t outside = inventory_.taken() - taken_in_scope; outside > 0) {
      job_.Note(absl::StrCat(outside, " of ", inventory_.taken(), inventory_.taken() == 1 ? " article" : " articles",
                             " taken ", outside == 1 ? "is" : "are",
                             " not among those that the places are to have all of (",
                             !scope_.filter.empty() ? "--of"
                             : scope_.by_default    ? "of their host"
                                                    : "--host",
                             "), and will stay when the places no longer have ", outside == 1 ? "it" : "them"));
    }
    if (untold > 0) {
      job_.Note(
          absl::StrCat(untold, untold == 1 ? " stored article has" : " stored articles have",
                       " neither URL nor an id of a place's own; whether the places have them shows only when their "
                       "articles are sent"));
    }
    return missing;
  }

  // Gives `listed` its other addresses.
  absl::StatusOr<bool> IsThereByOtherAddress(apb::Article& listed) const {
    spb::GetArticleRequest request;
    request.set_id(listed.id());
    request.set_view(apb::ARTICLE_VIEW_BASIC);
    const absl::StatusOr<spb::GetArticleResponse> stored = client_.GetArticle(request);
    if (absl::IsNotFound(stored.status())) return true;  // Deleted meanwhile.
    if (!stored.ok()) return stored.status();
    *listed.mutable_alternate_urls() = stored->article().alternate_urls();
    return stored->article().id() == listed.id() && IsThere(stored->article());
  }

  // Feeds list the latest articles only: of others, those whose pages are gone.
  std::vector<Missing> OnlyGone(std::vector<Missing> absent) {
    std::vector<Missing> gone;
    int64_t unasked = 0;
    for (Missing& one : absent) {
      if (Interrupted()) break;
      if (one.reason != "gone") {
        const bool ask = !one.article.url().empty() && flags_.ingest.input.follow != Follow::kNever;
        const absl::Status there = ask ? job_.reader().LookForPage(one.article.url()) : absl::OkStatus();
        unasked += absl::IsResourceExhausted(there) || !ask ? 1 : 0;
        if (!absl::IsNotFound(there)) continue;
        one.reason = "gone";
      }
      gone.push_back(std::move(one));
    }
    if (unasked > 0) {
      job_.Note(
          absl::StrCat(unasked, unasked == 1 ? " article that is" : " articles that are",
                       " no longer in a feed stay, because their pages were not asked for (--max_fetches, --follow, "
                       "or there is no URL)"));
    }
    return gone;
  }

  absl::Status Delete(const Missing& one) {
    DeletionLine line;
    DeletionLine::Deletion& deletion = *line.mutable_deletion();
    deletion.set_id(one.article.id());
    deletion.set_url(one.article.url());
    deletion.set_reason(one.reason);
    if (flags_.ingest.dry_run) {
      deletion.set_outcome("would be deleted");
    } else {
      spb::DeleteArticleRequest request;
      request.set_id(one.article.id());
      request.set_etag(one.article.etag());
      const absl::StatusOr<spb::DeleteArticleResponse> response = client_.DeleteArticle(request);
      if (response.ok() || absl::IsNotFound(response.status())) job_.ForgetPages(one.article);
      if (absl::IsNotFound(response.status())) return absl::OkStatus();  // Somebody else has deleted it.
      if (!response.ok() && !absl::IsAborted(response.status())) return response.status();
      deletion.set_outcome(response.ok() ? "deleted" : "changed");
      if (response.ok()) job_.CoverToken(response->commit_token());
    }
    if (deletion.outcome() == "changed") {
      ++done_.kept;
    } else {
      done_.deleted_ids.push_back(one.article.id());
    }
    job_.Print(line);
    return absl::OkStatus();
  }

  const SyncFlags& flags_;
  const Scope& scope_;
  const Inventory& inventory_;
  const SearchClient& client_;
  IngestJob& job_;
  RunReport::Deletions done_;
};

ExitCode Sync(const Context& context, const SyncFlags& flags) {
  const absl::StatusOr<Scope> scope = ScopeOf(flags);
  if (!scope.ok()) return Fail(context, scope.status());
  Inventory inventory;
  IngestJob job(context, flags.ingest, &inventory);
  if (const std::optional<ExitCode> ended = job.Begin()) return *ended;
  const absl::StatusOr<SearchClient> client = SearchClient::Connect(context.search, context.call_options());
  if (!client.ok()) return Fail(context, client.status());
  if (!scope->filter.empty()) {
    // A condition that is wrong is better known before everything is read.
    spb::ListArticlesRequest request;
    request.set_filter(scope->filter);
    request.set_page_size(1);
    const absl::Status understood = client->ListArticles(request).status();
    if (absl::IsInvalidArgument(understood)) return Fail(context, InTermsOfFlags(understood, Fields()));
  }
  Inventory stored;
  if (!flags.ingest.fetch_state.empty()) {
    const absl::Status listed = ForEachStored(*client, scope->filter, [&](apb::Article& article) {
      stored.AddId(article.id());
      stored.AddUrl(article.url());
      return absl::OkStatus();
    });
    if (!listed.ok()) {
      job.Fail(listed);
      return job.End();
    }
    job.AskWhetherStored([&](const std::string& id, const std::string& url) {
      if (stored.HasId(id) || stored.HasUrl(url)) return true;
      // It may have another address, or be none of those that the job is about.
      spb::GetArticleRequest request;
      request.set_id(url);
      request.set_view(apb::ARTICLE_VIEW_BASIC);
      return client->GetArticle(request).ok();
    });
  }
  job.RunRound();
  Deleter deleter(flags, *scope, inventory, *client, job);
  if (job.failure().ok() && !Interrupted()) {
    if (const absl::Status status = deleter.Run(); !status.ok()) job.Fail(status);
  }
  return job.End(deleter.TakeDeletions());
}

}  // namespace

void AddSyncCommand(CLI::App& root, CommandTable& commands) {
  auto flags = std::make_shared<SyncFlags>();
  CLI::App* command =
      root.add_subcommand("sync", "Take what places have, as `ingest` does, and delete what they no longer have");
  command->footer(
      "Reads the places as `dateline ingest` does, and then deletes those stored articles, of a site (--host) or to a "
      "condition\n"
      "(--of), that they don't name: by id or by any URL, fetched or not. What a sitemap, a folder or an export "
      "doesn't "
      "have is\n"
      "gone, and so is a page that answers 404 or 410. A feed, or a news sitemap, lists the latest articles only: "
      "where "
      "one is\n"
      "among the places, an article goes only if its page answers 404 or 410, which is asked for at the pace of "
      "--fetch_delay, up\n"
      "to --max_fetches. Sitemaps and feeds of one host need neither --host nor --of.\n"
      "Nothing is deleted if a source can't be read to its end, or, without --force, if more than 10 % of the articles "
      "would go.\n"
      "What changed while the job ran stays. What was deleted comes back when it is ingested again: a page that "
      "--fetch_state has\n"
      "as unchanged is fetched all the same if no article of it is stored.\n"
      "\n"
      "Examples:\n"
      "  dateline sync https://example.org/sitemap.xml --fetch_state example.state --dry_run   # what would go\n"
      "  dateline sync https://example.org/sitemap.xml --fetch_state example.state\n"
      "  dateline sync https://example.org/feed.rss --report sync.json\n"
      "  dateline sync export/ --of 'source = \"The Meridian\"' --output jsonl > results.jsonl\n"
      "  dateline sync pages/ --host example.org --host www.example.org\n"
      "\n"
      "Exit status: 0 all taken, and what is gone deleted (a page that answers 404 or 410 is not rejected, but gone); "
      "5 "
      "nothing\n"
      "deleted, because more than 10 % would go or because the places don't say of which articles they are the whole, "
      "also if\n"
      "some were rejected; 3 some rejected, or a source not read to its end, so that nothing is deleted; 4 all done, "
      "but\n"
      "--wait_timeout was over before what --wait asks for was reached; 1 the job failed; 2 wrong usage; 130 Ctrl-C. "
      "--dry_run\n"
      "ends as the run would. The report has all of it under `deletions`.");
  IngestFlags& ingest = flags->ingest;
  command
      ->add_option("PLACE", ingest.places, "Where the articles are: files, folders, http(s) URLs; - is standard input")
      ->required()
      ->type_name("FILE|FOLDER|URL");
  command
      ->add_option("--of", flags->filter,
                   "The places have all articles of this condition, such as: source = \"Example\"; others stay")
      ->type_name("CONDITION");
  command
      ->add_option("--host", flags->hosts, "The places have all articles with a URL of this host; repeat it for others")
      ->type_name("HOST")
      ->allow_extra_args(false);
  command->add_flag("--dry_run", ingest.dry_run, "Send and delete nothing; say what would be sent and what deleted");
  command->add_flag("--force", flags->force, "Delete however many are gone");
  AddIngestFlags(*command, ingest);
  command
      ->add_option_function<std::string>(
          "--checkpoint",
          [](const std::string&) {
            throw CLI::ValidationError("--checkpoint",
                                       "is for `dateline ingest`: sync has to know what all files have, also those "
                                       "that a checkpoint passes over");
          },
          "")
      ->group("");
  commands.emplace_back(command, [command, flags](const Context& context) {
    SettleResultsShown(*command, context, flags->ingest);
    return Sync(context, *flags);
  });
}

}  // namespace dateline::cli
