with
    dates as (select * from {{ ref("dim_dates") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    final as (
        select
            dates.month,
            max(dates.calendar_date) as last_date,
            dates.month <= as_of.as_of
            and max(dates.calendar_date) > as_of.as_of as is_partial,
            dates.month > as_of.as_of as is_after_as_of
        from dates
        cross join as_of
        group by dates.month, as_of.as_of
    )

select *
from final
