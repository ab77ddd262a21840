{# Classes of complaints by month, with zeros: a class that went quiet is news as well. #}
with
    months as (select * from {{ ref("dim_months") }} where not is_after_as_of),

    tickets as (
        select
            {{ month_start("opened_date") }} as month,
            coalesce(category, 'unknown') as category,
            satisfaction_score
        from {{ ref("fct_tickets") }}
        cross join {{ ref("dim_as_of") }} as as_of
        where kind = 'complaint' and opened_date <= as_of.as_of
    ),

    categories as (
        select category, min(month) as first_month from tickets group by category
    ),

    counted as (
        select
            month,
            category,
            count(*) as complaint_count,
            count(satisfaction_score) as scored_count,
            sum(satisfaction_score) as score_sum
        from tickets
        group by month, category
    ),

    final as (
        select
            months.month,
            months.is_partial,
            categories.category,
            -- where no class is given, it is not known that none is technical
            case
                when count(nullif(categories.category, 'unknown')) over () > 0
                then
                    categories.category
                    in ('{{ var("technical_categories") | join("', '") }}')
            end as is_technical,
            cast(coalesce(counted.complaint_count, 0) as bigint) as complaint_count,
            cast(coalesce(counted.scored_count, 0) as bigint) as scored_count,
            coalesce(counted.score_sum, 0) as score_sum,
            cast(
                sum(coalesce(counted.complaint_count, 0)) over (
                    partition by months.month
                ) as bigint
            ) as month_count
        from months
        cross join categories
        left join
            counted
            on months.month = counted.month
            and categories.category = counted.category
    )

select *
from final
