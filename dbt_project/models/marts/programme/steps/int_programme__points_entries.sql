with
    entries as (select * from {{ ref("fct_programme_entries") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    final as (
        select
            entries.entry_key,
            entries.source,
            -- entries that name no programme are those of one programme without a name
            coalesce(entries.programme_key, 'unnamed') as programme_key,
            coalesce(entries.programme_id, 'unnamed') as programme_id,
            entries.customer_key,
            {{
                made_key(
                    [
                        "entries.source",
                        "coalesce(entries.programme_key, 'unnamed')",
                        "entries.customer_key",
                    ]
                )
            }} as account_key,
            case
                when entries.kind in ('earn', 'burn', 'expire')
                then entries.kind
                else 'adjust'
            end as kind,
            entries.entered_at,
            entries.entered_date,
            {{ month_start("entries.entered_date") }} as month,
            entries.expires_date,
            entries.balance_points,
            entries.value_amount
        from entries
        cross join as_of
        where entries.entered_date <= as_of.as_of and entries.balance_points <> 0
    )

select *
from final
