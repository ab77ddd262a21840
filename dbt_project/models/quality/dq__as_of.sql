with
    as_of as (select * from {{ ref("dim_as_of") }}),

    final as (
        select
            as_of,
            data_start_date,
            {{ add_days("data_start_date", var("churn_days")) }} as known_new_from_date,
            cast(
                reporting_currency_code as {{ dbt.type_string() }}
            ) as reporting_currency_code,
            cast({{ var("churn_days") }} as bigint) as churn_day_count,
            cast({{ var("horizon_days") }} as bigint) as horizon_day_count,
            cast(
                {{ var("loyalty_window_months") }} as bigint
            ) as loyalty_window_month_count,
            cast({{ var("value_window_months") }} as bigint) as value_window_month_count
        from as_of
    )

select *
from final
